"""Mailboxes that take no mail from us: told by the mail service, lifted by an admin or by a sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from core import audit
from core.models import Delivery, MailTrouble

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from users.models import User

Cause = MailTrouble.Cause
State = Delivery.State

BATCH: Final = 1_000
STATES: Final[dict[str, str]] = {Cause.BOUNCED: State.BOUNCED, Cause.COMPLAINED: State.COMPLAINED}
WRITTEN: Final = ["address", "cause", "detail", "happened_at", "lifted_at"]


class Event(NamedTuple):
    """What the mail service tells of a mailbox; ``at``: when that was, where it says so."""

    address: str
    cause: str
    message_id: str = ""
    detail: str = ""
    at: datetime | None = None


def in_trouble(people: Collection[int]) -> dict[int, MailTrouble]:
    """Return which of these people (by id) get no mail at the address that they have now. One query."""
    rows = MailTrouble.objects.standing().filter(person__in=people).select_related("person")
    return {row.person_id: row for row in rows if row.counts_at(row.person.email)}


def trouble_of(person: User) -> MailTrouble | None:
    """Return why a person gets no mail at the address that they have now, of what was read with them."""
    try:
        trouble: MailTrouble = person.mail_trouble
    except MailTrouble.DoesNotExist:
        return None
    return trouble if trouble.counts_at(person.email) else None


def report(events: Iterable[Event]) -> None:
    """Note which mailboxes gave mail back or complained; a thousand events are some queries.

    Safe to repeat, as services do: what is noted already is not written again. A complaint is not turned
    back into a bounce. Addresses that no account has are passed over.
    """
    told = [event._replace(address=event.address.strip().lower()) for event in events]
    for start in range(0, len(told), BATCH):
        some = told[start : start + BATCH]
        mark_people(without_former_addresses(some, mark_deliveries(some)))


@transaction.atomic
def mark_deliveries(events: Collection[Event]) -> list[Delivery]:
    """Say at the delivery of each mail what became of it; return those deliveries. Holds them."""
    # Of two events of one mail the complaint is the last.
    told = {
        event.message_id: event
        for event in sorted(events, key=lambda event: event.cause == Cause.COMPLAINED)
        if event.message_id
    }
    rows = Delivery.objects.select_for_update(of=("self",), no_key=True).select_related("person")
    found = list(rows.filter(message_id__in=told).order_by("pk"))
    changed: dict[tuple[str, str], list[int]] = {}
    for row in found:
        event = told[row.message_id]
        if row.state in {State.SENT, State.BOUNCED} and row.state != STATES[event.cause]:
            changed.setdefault((STATES[event.cause], event.detail[:100]), []).append(row.pk)
    for (state, reason), ids in changed.items():
        Delivery.objects.filter(pk__in=ids).update(state=state, reason=reason)
    return found


def without_former_addresses(events: Iterable[Event], deliveries: Iterable[Delivery]) -> list[Event]:
    """Leave out what became of mail to somebody who has another address by now: it may be another's."""
    addresses = {delivery.message_id: delivery.person.email.lower() for delivery in deliveries}
    return [event for event in events if addresses.get(event.message_id, event.address) == event.address]


@transaction.atomic
def mark_people(events: Collection[Event]) -> None:
    """Write down whose mailbox it is. Holds the people."""
    having = get_user_model().objects.with_addresses({event.address for event in events})
    people = {one.email.lower(): one for one in having.select_for_update(no_key=True).order_by("pk")}
    rows = {row.person_id: row for row in MailTrouble.objects.filter(person__in=people.values())}
    written: dict[int, MailTrouble] = {}
    for event in events:
        person = people.get(event.address)
        if person is not None and is_news(event, person, rows.get(person.pk)):
            rows[person.pk] = written[person.pk] = MailTrouble(
                person=person, address=person.email, cause=event.cause, detail=event.detail[:100]
            )
    MailTrouble.objects.bulk_create(
        written.values(), update_conflicts=True, unique_fields=["person"], update_fields=WRITTEN
    )
    audit.record_all(
        "mail_suppressed", targets=[(row.person, {"cause": row.cause}) for row in written.values()]
    )


def is_news(event: Event, person: User, known: MailTrouble | None) -> bool:
    """Return whether an event says what is not known of the address that the person has now.

    What happened before the account was there, or before the last trouble was lifted, is told late, or
    once more.
    """
    since = (known.lifted_at if known else None) or person.date_joined
    if event.at is not None and event.at < since:
        return False
    if known is None or not known.counts_at(person.email):
        return True
    return event.cause == Cause.COMPLAINED and known.cause != Cause.COMPLAINED


@transaction.atomic
def lift(person: User, *, by: User) -> bool:
    """Let a person have mail again; False where they had no trouble."""
    lifted = MailTrouble.objects.standing().filter(person=person).update(lifted_at=timezone.now())
    if lifted:
        audit.record("mail_allowed", actor=by, target=person)
    return bool(lifted)


def lift_bounce(person: User) -> None:
    """Forgive that a mailbox gave mail back: its owner has just read one there. A complaint stays."""
    MailTrouble.objects.standing().filter(person=person, cause=Cause.BOUNCED).update(lifted_at=timezone.now())
