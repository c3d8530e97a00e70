"""What an admin sees of an announcement's mail: whom it reaches, how it looks, how far it has got."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, OuterRef, Q

from announcements.letters import KIND, letter_of
from announcements.services.telling import notice_of
from core.audience import people_for
from core.mail import Envelope, compose
from core.models import Delivery, MailTrouble, NotificationChoice
from core.notifications.digests import DAILY
from core.notifications.kinds import Pace
from core.notifications.wishes import wishes_of

if TYPE_CHECKING:
    from announcements.models import Announcement
    from users.models import User


def mail_report(announcement: Announcement, *, to: User) -> dict[str, Any]:
    """Return all of it, in five queries however many people there are."""
    return {
        "requested_at": announcement.mail_requested_at,
        **people_by_mail(announcement.audience),
        "sample": sample(announcement, to=to),
        **progress(announcement),
    }


def people_by_mail(audience: str) -> dict[str, int]:
    """Count how the people of an audience get announcements by mail at this moment, each person once.

    The rules are those of ``Wishes.pace``, ``in_trouble`` and ``is_wanted``, asked of all people at once.
    """
    choices = NotificationChoice.objects.filter(person=OuterRef("pk"))
    daily = Q(Exists(choices.filter(kind=KIND, pace=Pace.DAILY)))
    off = Q(Exists(choices.filter(kind=KIND, pace=Pace.OFF)))
    no_daily_mail = Q(Exists(choices.filter(kind=DAILY.name, pace=Pace.OFF)))
    standing = MailTrouble.objects.standing()
    troubled = Q(Exists(standing.filter(person=OuterRef("pk"), address__iexact=OuterRef("email"))))
    counts: dict[str, int] = people_for(audience).aggregate(
        audience=Count("pk"),
        troubled=Count("pk", filter=troubled),
        off=Count("pk", filter=~troubled & (off | (daily & no_daily_mail))),
        daily=Count("pk", filter=~troubled & daily & ~no_daily_mail),
    )
    recipients = counts["audience"] - counts["troubled"] - counts["off"]
    return {**counts, "recipients": recipients, "at_once": recipients - counts["daily"]}


def sample(announcement: Announcement, *, to: User) -> dict[str, str]:
    """Return the mail as that person would read it, without its link to unsubscribe: samples go around."""
    reader = wishes_of([to.pk])[to.pk].reader
    with reader.speaking():
        letter = letter_of(announcement)
    message = compose(letter, Envelope(to=to.email), reader=reader)
    html = str(message.alternatives[0][0])
    return {"subject": str(message.subject), "text": str(message.body), "html": html}


def progress(announcement: Announcement) -> dict[str, Any]:
    """Count its deliveries by what became of their mail, and tell whether some has yet to leave."""
    notice = notice_of(announcement).first()
    counted = Delivery.objects.filter(notice=notice).by_state() if notice else {}
    states = {state.value: counted.get(state.value, 0) for state in Delivery.State}
    spreads = notice is not None and notice.is_mailed and notice.fanned_out_at is None
    return {"states": states, "is_under_way": spreads or states[Delivery.State.QUEUED] > 0}
