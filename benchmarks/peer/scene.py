"""What the seeded programme has none of, and a body may tell: for ``compare`` alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

FILE: Final = "uploads/" + "0f" * 16 + ".pdf"
FOREIGN_FILE: Final = "uploads/" + "1e" * 16 + ".pdf"


def enrich() -> None:
    """Add profiles, a plan in every state, and messages of every sight to the first group."""
    from django.utils import timezone

    from benchmarks.load.seed import cast
    from chat.models import Message
    from core.models import Upload
    from groups.models import Group, Milestone, Task
    from users.models import SupervisorProfile, User, UserProfile

    student, nameless, *_ = cast().students
    mentor, supervisor = student + 6, student + 7
    User.objects.filter(pk=nameless).update(first_name="", last_name="", email="nameless@example.org")
    UserProfile.objects.filter(user=nameless).delete()
    today = timezone.now().date()
    for person in (mentor, supervisor):
        SupervisorProfile.objects.create(
            user_id=person, organization="Institut für Biologie", wwcc_expiry=today
        )
    group = Group.objects.get(pk=cast().group)
    late = Milestone.objects.create(group=group, title="Late", due_date=today - timedelta(days=1))
    Task.objects.create(
        milestone=late, name="Overdue", due_date=today - timedelta(days=1), assigned_to_id=nameless
    )
    Task.objects.create(milestone=late, name="Nobody's", completed=True)
    Task.objects.create(milestone=late, name="Removed", removed_at=timezone.now())
    Milestone.objects.create(group=group, title="Empty", order_index=-1)
    Milestone.objects.create(group=group, title="Removed", removed_at=timezone.now())
    for key, owner in ((FILE, student), (FOREIGN_FILE, mentor)):
        Upload.objects.create(
            owner_id=owner, key=key, filename="a b.pdf", size=9, mime_type="application/pdf"
        )
    shown: dict[str, Any] = {"group": group, "text": "Écoute 🎉 " * 40}
    hidden: list[dict[str, Any]] = [
        {"moderation_status": "pending", "moderation_note": "Wait."},
        {"moderation_status": "rejected", "moderated_by_id": mentor, "moderated_at": timezone.now()},
        {"is_deleted": True, "deleted_at": timezone.now(), "deleted_by_id": mentor},
        {"edited_at": timezone.now(), "moderation_note": "Fine.", "client_id": "mine"},
    ]
    for state in hidden:
        for author in (student, nameless, None):
            message = Message.objects.create(**shown, **state, author_id=author)
            Message.objects.create(**shown, author_id=mentor, reply_to=message)
            message.reactions.create(user_id=student, sign="👍")
            message.attachments.create(file_url=FILE, filename="a b.pdf", file_size=9)
            message.attachments.create(file_url="https://example.org/b.pdf", filename="b.pdf")


def drafts(host: str) -> list[dict[str, Any]]:
    """Return what is posted, by a student who owns the first file: what is stored, and what is refused."""
    from benchmarks.load.seed import cast
    from chat.models import Message

    rows = Message.objects.filter(group=cast().group)
    seen = rows.filter(is_deleted=False, moderation_status="approved").first()
    gone = rows.filter(is_deleted=True).first()
    own = {"url": f"http://{host}/media/a/{FILE}", "filename": "Mine.pdf", "size": 1}
    return [
        {"text": "  Hello\nthere  "},
        {"text": "Hi @Student 3, @björn person 21 and a@b.example: @Dinh!"},
        {"text": "", "attachments": [own]},
        {"text": "Look", "replyTo": seen.pk if seen else 0, "attachments": [own]},
        {"text": "Gone", "replyTo": gone.pk if gone else 0},
        {"text": " "},
        {"text": None},
        {"text": "x", "replyTo": 999_999},
        {"text": "x", "attachments": [{**own, "url": f"http://{host}/media/a/{FOREIGN_FILE}"}]},
    ]
