"""News for everybody, or for one role, and who has read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from core.audience import AudienceQuerySet, audience_field, people_for
from core.moments import moment_of
from core.prepared import Slot, this_moment
from core.search import containing

if TYPE_CHECKING:
    from typing import Self

    from core.listing import SomeViewer
    from users.models import User
    from users.models.people import UserQuerySet

PROGRAMME: Final = "Program Team"
SEARCHED: Final = ("title", "summary", "content")
BACKWARDS: Final = "It must expire after it is published."


class AnnouncementQuerySet(AudienceQuerySet["Announcement"]):
    """Questions about many announcements, of which the first is who sees them."""

    def visible_to(self, user: User | SomeViewer) -> Self:
        """Admins see every row; others what is for everyone or for their role, while it is published."""
        rows = super().visible_to(user)
        return rows if user.is_platform_admin else rows.in_state(Announcement.State.PUBLISHED)

    def in_state(self, state: str) -> Self:
        """Those that are scheduled, published or expired at this moment."""
        now, states = this_moment(), Announcement.State
        expired, scheduled = Q(expires_at__lte=now), Q(publish_at__gt=now)
        if state == states.EXPIRED:
            return self.filter(expired)
        if state == states.SCHEDULED:
            return self.filter(scheduled)
        begun = Q(publish_at=None) | Q(publish_at__lte=now)
        return self.filter(begun, Q(expires_at=None) | Q(expires_at__gt=now))

    def unread_by(self, user: User) -> Self:
        """What is published for a person, and they have not acknowledged."""
        marks = Acknowledgement.objects.filter(announcement=OuterRef("pk"), user=user)
        return self.visible_to(user).in_state(Announcement.State.PUBLISHED).filter(~Exists(marks))

    def with_mark_of(self, user: User | SomeViewer) -> Self:
        """Say of each when that person acknowledged it, in the same query."""
        marks = Acknowledgement.objects.filter(announcement=OuterRef("pk"), user=user.pk)
        return self.annotate(acknowledged_at=Subquery(marks.order_by().values("acknowledged_at")))

    def untold(self) -> Self:
        """What is published, and nobody has been told of."""
        return self.in_state(Announcement.State.PUBLISHED).filter(told_at=None)

    def matching(self, text: str | Slot) -> Self:
        """Those in whose title, summary or content the text occurs as it stands, whatever its case."""
        return containing(self, text, *SEARCHED)


class Announcement(models.Model):
    """One piece of news. The author is a signature, not an account."""

    class State(models.TextChoices):
        SCHEDULED = "scheduled", "Scheduled"
        PUBLISHED = "published", "Published"
        EXPIRED = "expired", "Expired"

    title = models.CharField(max_length=255)
    summary = models.TextField(max_length=5_000)
    content = models.TextField(blank=True, max_length=20_000, help_text="Markdown.")
    author = models.CharField(max_length=100, default=PROGRAMME, blank=True)
    audience = audience_field()
    link = models.URLField(  # noqa: DJ001 - null on the wire
        null=True, blank=True, validators=[URLValidator(schemes=["http", "https"])]
    )
    pinned = models.BooleanField(default=False, db_default=False, help_text="Stands before all others.")
    publish_at = models.DateTimeField(null=True, blank=True, help_text="Nobody but admins sees it before.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="From then on admins alone see it.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    appears_at = models.GeneratedField(
        expression=Greatest("created_at", Coalesce("publish_at", "created_at")),
        output_field=models.DateTimeField(),
        db_persist=True,
        help_text="When it is first read: what was scheduled is new on its day.",
    )

    mail_requested_at = models.DateTimeField(
        null=True, editable=False, help_text="When an admin asked for it to be mailed. Null: they did not."
    )
    told_at = models.DateTimeField(
        null=True, editable=False, help_text="When its audience was told of it. Null: not yet."
    )

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        ordering = ["-pinned", "-appears_at", "-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(publish_at=None) | Q(expires_at=None) | Q(expires_at__gt=F("publish_at")),
                name="announcement_expires_after_it_is_published",
                violation_error_message=BACKWARDS,
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["-pinned", "-appears_at", "-id"], name="announcement_newest_first"),
            models.Index(
                fields=["audience", "-pinned", "-appears_at", "-id"], name="announcement_by_audience"
            ),
            models.Index(
                fields=["publish_at"], condition=~Q(publish_at=None), name="announcement_by_publication"
            ),
            models.Index(fields=["expires_at"], condition=~Q(expires_at=None), name="announcement_by_expiry"),
            models.Index(fields=["publish_at"], condition=Q(told_at=None), name="announcement_untold"),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.normalise()
        super().save(*args, **kwargs)

    def normalise(self) -> None:
        """Sign it where nobody has, have no link where there is none, and make moments of texts."""
        self.author = (self.author or "").strip() or PROGRAMME
        self.link = self.link or None
        self.publish_at, self.expires_at = moment_of(self.publish_at), moment_of(self.expires_at)

    @property
    def state(self) -> Announcement.State:
        """What it is at this moment."""
        now = timezone.now()
        if self.expires_at and self.expires_at <= now:
            return self.State.EXPIRED
        return self.State.SCHEDULED if self.publish_at and self.publish_at > now else self.State.PUBLISHED

    def people(self) -> UserQuerySet:
        """Return for whom it is, and when each of them acknowledged it."""
        marks = Acknowledgement.objects.filter(announcement=self, user=OuterRef("pk"))
        return people_for(self.audience).annotate(
            acknowledged_at=Subquery(marks.order_by().values("acknowledged_at"))
        )

    def reach(self) -> dict[str, int]:
        """Count for how many people it is, and how many of those have acknowledged it. One query."""
        marked = Exists(Acknowledgement.objects.filter(announcement=self, user=OuterRef("pk")))
        return people_for(self.audience).aggregate(
            audience_count=Count("pk"), acknowledged_count=Count("pk", filter=marked)
        )


class Acknowledgement(models.Model):
    """Somebody says that they have read an announcement."""

    announcement = models.ForeignKey(Announcement, models.CASCADE, related_name="acknowledgements")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="acknowledgements")
    acknowledged_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["acknowledged_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["announcement", "user"], name="acknowledgement_once_per_announcement"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} of {self.announcement_id}"
