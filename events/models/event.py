"""Events: what happens when and where."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Final
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils.timezone import now

from core.moments import moment_of
from core.prepared import Slot, this_moment
from core.search import containing
from events.models.registration import EventRegistration
from events.models.zones import end_of_day, known_zones, validate_zone

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Self

    from core.listing import SomeViewer
    from users.models import User

# Such that the moment has a date in every zone.
MOMENTS: Final = (
    MinValueValidator(dt.datetime(1970, 1, 1, tzinfo=dt.UTC)),
    MaxValueValidator(dt.datetime(9998, 12, 31, tzinfo=dt.UTC)),
)


class EventQuerySet(models.QuerySet["Event"]):
    """Questions about many events."""

    def upcoming(self) -> Self:
        """Events that are not over, each by the clock of its own zone."""
        moment = this_moment()
        return self.filter(Q(over_at__gt=moment) | Q(over_at=None, date__gte=moment.date()))

    def matching(self, text: str | Slot) -> Self:
        """Events in whose title, description or location the text occurs, in any case."""
        return containing(self, text, "title", "description", "location")

    def with_seats(self, viewer: User | SomeViewer) -> Self:
        """Everything about seats that the wire document shows, without a query per event."""
        seats = EventRegistration.objects.filter(event=OuterRef("pk"))
        waiting = EventRegistration.waiting.filter(event=OuterRef("pk"))
        return self.annotate(
            registration_count=counted(seats),
            waitlist_count=counted(waiting),
            is_registered=Exists(seats.filter(user=viewer.pk)),
            is_waitlisted=Exists(waiting.filter(user=viewer.pk)),
        )


def counted(rows: models.QuerySet[EventRegistration]) -> Coalesce:
    """Return a subquery: how many rows there are for an event."""
    per_event = rows.order_by().values("event").annotate(number=models.Count("pk"))
    return Coalesce(models.Subquery(per_event.values("number")), 0)


class OverAtField(models.DateTimeField[Any, Any]):
    """When the event is over, worked out on each save and in ``bulk_create``, as ``auto_now`` is.

    ``QuerySet.update`` and ``bulk_update`` pass it by: whoever moves events by them sets it too. It
    stands before the times in the model: asked first, it makes days and moments of whatever they are.
    """

    def pre_save(self, event: Any, add: bool) -> Any:  # noqa: FBT001 - Django's
        event.read_times()
        event.over_at = event.ends() if event.date else None
        return super().pre_save(event, add)

    def deconstruct(self) -> Any:
        """Be a plain column to migrations, whose rows know nothing of ends."""
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.DateTimeField", arguments, options


class RandomUid(Func):
    """A random UUID, made by the database for whoever inserts without one."""

    template = "gen_random_uuid()"
    output_field = models.UUIDField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="lower(hex(randomblob(16)))", **context)


class Event(models.Model):
    """A meeting that people register for, or that a link leads to.

    ``date`` and ``time`` are what is shown; ``start_at`` and ``end_at``, where they are known, are what
    calendars count by. An event without them takes the whole day, in its zone.
    """

    class Type(models.TextChoices):
        IN_PERSON = "in-person", "In person"
        VIRTUAL = "virtual", "Virtual"

    title = models.CharField(max_length=255)
    description = models.TextField(blank=True, max_length=5_000)
    long_description = models.TextField(blank=True, max_length=20_000)
    over_at = OverAtField(
        null=True,
        editable=False,
        help_text="From when on it is over: no seats are given any more. "
        "Null: the release before this one wrote it, and it is over with its day in UTC.",
    )
    date = models.DateField(help_text="In the event's own zone.")
    time = models.CharField(max_length=50, help_text="Free text, such as 18:00 or 6 to 8 pm.")
    start_at = models.DateTimeField("start", null=True, blank=True, validators=MOMENTS)
    end_at = models.DateTimeField("end", null=True, blank=True, validators=MOMENTS)
    timezone = models.CharField(
        "time zone",
        max_length=64,
        default="UTC",
        db_default="UTC",
        validators=[validate_zone],
        help_text="An IANA name, such as Australia/Sydney.",
    )
    location = models.CharField(max_length=255)
    type = models.CharField(max_length=20, choices=Type)
    cover_image = models.CharField(max_length=500, null=True, blank=True)  # noqa: DJ001 - null on the wire
    register_link = models.URLField(
        blank=True,
        validators=[URLValidator(schemes=["http", "https"])],
        help_text="Where set, people register there and not with us.",
    )
    capacity = models.IntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text="Empty: no limit.",
    )
    uid = models.UUIDField(
        default=uuid.uuid4, db_default=RandomUid(), editable=False, unique=True, help_text="In calendars."
    )
    sequence = models.PositiveIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="Rises with what calendars show, and as seats are given up: the higher invitation counts.",
    )
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    # What calendars show.
    SHOWN: ClassVar = frozenset(
        {
            *("title", "description", "long_description", "location", "register_link"),
            *("date", "time", "start_at", "end_at", "timezone"),
        }
    )
    COVER_FOLDER: ClassVar = "events/covers"
    TIMES: ClassVar = frozenset({"date", "start_at", "end_at", "timezone"})

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["date", "time", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(capacity__gte=1), name="event_capacity_at_least_1"),
            models.CheckConstraint(
                condition=Q(end_at=None) | Q(start_at__isnull=False, end_at__gt=F("start_at")),
                name="event_ends_after_its_start",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["date", "time", "id"], name="event_in_calendar_order"),
            models.Index(fields=["type", "date", "time", "id"], name="event_by_type"),
            models.Index(fields=["over_at"], name="event_by_end"),
            models.Index(fields=["start_at"], name="event_by_start", condition=Q(start_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        if update_fields is not None and self.TIMES & set(update_fields):
            update_fields = {*update_fields, "over_at"}
        super().save(*args, update_fields=update_fields, **kwargs)

    def read_times(self) -> None:
        """Make a day and moments of what they were given as, such as text."""
        self.date = Event.date.field.to_python(self.date)
        self.start_at, self.end_at = moment_of(self.start_at), moment_of(self.end_at)

    def clean(self) -> None:
        """Hold the times against each other: the API's services and the admin site's form ask this.

        Calendars know no part of a second.
        """
        if self.end_at and not self.start_at:
            raise ValidationError({"end_at": "An end needs a start."})
        begins, ends = (at and at.replace(microsecond=0) for at in (self.start_at, self.end_at))
        if begins and ends and ends <= begins:
            raise ValidationError({"end_at": "The end must be after the start."})
        if self.start_at and self.timezone in known_zones() and self.date != self.first_day():
            raise ValidationError({"date": "This is not the day of the start, in the event's time zone."})

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def first_day(self) -> dt.date:
        """Return the day on which it begins, where it takes place."""
        return self.start_at.astimezone(self.zone).date() if self.start_at else self.date

    def follow_start(self, *, told: Collection[str]) -> None:
        """Take day and time of day from the start, in the event's zone, save those that were told."""
        if self.start_at is None:
            return
        local = self.start_at.astimezone(self.zone)
        if "date" not in told:
            self.date = local.date()
        if "time" not in told:
            self.time = f"{local:%H:%M}"

    def begins(self) -> dt.datetime:
        """Return when it begins: at its start, else when its day begins, in its zone."""
        return self.start_at or dt.datetime.combine(self.date, dt.time.min, self.zone)

    def ends(self) -> dt.datetime:
        """Return when it is over: at its end, else when the day on which it begins is over, in its zone."""
        return self.end_at or end_of_day(self.first_day(), self.zone)

    @property
    def is_over(self) -> bool:
        return self.ends() <= now()
