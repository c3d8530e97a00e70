"""What people are told of, and how each of them was: in their inbox here, and by mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from core.roles import Audience, Role

if TYPE_CHECKING:
    from typing import Self

    from users.models import User


class Notice(models.Model):
    """Something happened that people are told of: once, however often it is said.

    Points at nobody, so that whoever writes it waits for no person's row. Its data make up its words and
    hold titles, moments and ids: never what is personal, for an erasure takes along those notices alone
    that were for nobody else.
    """

    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=150, help_text="What it is about, in the words of its kind.")
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    audience = models.CharField(
        max_length=20, blank=True, choices=Audience, help_text="Blank: the people below."
    )
    people: models.JSONField[Any, Any] = models.JSONField(default=list, help_text="Their ids.")
    is_mailed = models.BooleanField(default=True, help_text="By mail too, for whom that is wanted.")
    stale_at = models.DateTimeField(null=True, help_text="From then on no mail of it leaves. Null: never.")
    shown_from = models.DateTimeField(null=True, help_text="No inbox shows it before. Null: at once.")
    shown_until = models.DateTimeField(null=True, help_text="No inbox shows it from then on. Null: for ever.")
    reached = models.BigIntegerField(default=0, help_text="Everybody up to this id has their delivery.")
    fanned_out_at = models.DateTimeField(null=True, help_text="Null: not everybody has one yet.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "subject"], name="one_notice_a_kind_and_subject")
        ]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], name="notice_by_age"),
            models.Index(
                fields=["created_at"], name="notice_unfinished", condition=Q(fanned_out_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Questions about many deliveries."""

    def inbox_of(self, user: User) -> Self:
        """What stands in somebody's inbox, newest first, with what it says."""
        return self.filter(person=user).in_sight().select_related("notice").order_by("-id")

    def in_sight(self) -> Self:
        """What inboxes show now: of a notice for an audience, to whoever belongs to it now.

        The rule of ``core.audience``, from the side of those who were told.
        """
        now = timezone.now()
        begun = Q(notice__shown_from=None) | Q(notice__shown_from__lte=now)
        goes_on = Q(notice__shown_until=None) | Q(notice__shown_until__gt=now)
        meant = Q(notice__audience__in=["", Audience.ALL]) | Q(notice__audience=F("person__role"))
        admin = Q(person__role=Role.ADMIN) | Q(person__is_superuser=True)
        return self.filter(begun, goes_on, meant | admin, in_inbox=True)

    def unread(self) -> Self:
        return self.filter(read_at=None)

    def due(self) -> Self:
        """Mail whose time has come, the most urgent first. What a worker has claimed is due again later."""
        rows = self.filter(state=Delivery.State.QUEUED, due_at__lte=timezone.now())
        return rows.order_by("-priority", "due_at", "id")

    def by_state(self) -> dict[str, int]:
        """Count how many there are in each state that occurs."""
        counted = self.order_by().values("state").annotate(number=models.Count("pk"))
        return dict(counted.values_list("state", "number"))

    def by_notice_and_state(self) -> Any:
        """Count the same for each notice: triples of its id, a state and a number."""
        counted = self.order_by().values("notice", "state").annotate(number=models.Count("pk"))
        return counted.values_list("notice", "state", "number")


class Delivery(models.Model):
    """A person is told of a notice. Their inbox and their mail are channels of this one record."""

    class State(models.TextChoices):
        """Of the mail."""

        NONE = "none", "Not by mail"
        WAITING = "waiting", "Waits for the daily mail"
        QUEUED = "queued", "Queued"
        SENT = "sent", "Sent"
        DIGESTED = "digested", "Went with the daily mail"
        FAILED = "failed", "Failed"
        DROPPED = "dropped", "No longer needed"
        BOUNCED = "bounced", "Bounced"
        COMPLAINED = "complained", "Reported as spam"

    notice = models.ForeignKey(Notice, models.CASCADE, related_name="deliveries", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="deliveries")
    created_at = models.DateTimeField(default=timezone.now)
    in_inbox = models.BooleanField(default=True)
    read_at = models.DateTimeField(null=True, help_text="Null: not read here yet.")
    state = models.CharField(max_length=20, choices=State, default=State.NONE)
    priority = models.SmallIntegerField(default=0, help_text="Higher leaves first.")
    due_at = models.DateTimeField(null=True, help_text="When the mail is tried (again). Null: it is not.")
    attempts = models.PositiveIntegerField(default=0)
    message_id = models.CharField(max_length=200, blank=True, help_text="As the mail service knows it.")
    sent_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=100, blank=True, help_text="Why it did not go: codes, no address.")
    # No constraint, and nothing to do: else Django would read every delivery that it deletes.
    carried_by = models.ForeignKey(
        "self",
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        related_name="carried",
        help_text="The daily mail that takes it along.",
    )

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["notice", "person"], name="one_delivery_a_notice_and_person")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["-priority", "due_at", "id"], name="delivery_due", condition=Q(state="queued")
            ),
            models.Index(fields=["person", "-id"], name="delivery_inbox", condition=Q(in_inbox=True)),
            models.Index(
                fields=["person"],
                name="delivery_unread",
                condition=Q(in_inbox=True, read_at__isnull=True),
            ),
            models.Index(fields=["person"], name="delivery_for_daily_mail", condition=Q(state="waiting")),
            models.Index(fields=["message_id"], name="delivery_by_message", condition=~Q(message_id="")),
            models.Index(fields=["notice", "state"], name="delivery_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} to {self.person_id}"
