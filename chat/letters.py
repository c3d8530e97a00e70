"""What chat writes to people: how much they have not read, and where. Never what was said, or by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from chat.services.reading import UNREAD
from chat.services.unread import KIND, unread_in
from core.mail import Fact, Letter, one_line
from core.notifications.kinds import Kind, Pace, Told

if TYPE_CHECKING:
    from collections.abc import Mapping


def unread_letter(told: Told) -> Letter:
    """Say how much is unread in one group, as the badge does: a hundred are "more than 99"."""
    return Letter(
        subject=how_much(told.data["unread"]) % words_for(told.data),
        opening=_("There is something new in the conversation of %(group)s.") % words_for(told.data),
        facts=(Fact(_("Conversation"), link_to(told.data["group"]), action=_("Read it")),),
    )


def still_unread(told: Told) -> Letter | None:
    """Say how much is unread now; nothing where it has been read, or the group left, in the meantime."""
    unread = unread_in(told.data["group"], person=told.person.pk)
    return unread_letter(Told(told.person, {**told.data, "unread": unread}, told.reader)) if unread else None


def how_much(unread: int) -> str:
    if unread >= UNREAD:
        return _("More than %(most)d unread messages in %(group)s")
    return ngettext(
        "%(number)d unread message in %(group)s", "%(number)d unread messages in %(group)s", unread
    )


def words_for(data: Mapping[str, object]) -> dict[str, object]:
    return {"number": data["unread"], "most": UNREAD - 1, "group": one_line(str(data["name"]))}


def link_to(group_id: str) -> str:
    return f"{settings.FRONTEND_BASE_URL.rstrip('/')}/#/groups/{group_id}"


UNREAD_CHAT: Final = Kind(
    name=KIND,
    label=gettext_lazy("Unread messages"),
    write=unread_letter,
    mail=still_unread,
    paces=(Pace.DAILY, Pace.OFF),
    usual=Pace.DAILY,
    in_inbox=False,
)
