"""Announcements as people are told of them: pure words for the inbox, mail as they stand when it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from announcements.models import Announcement
from core.mail import Fact, Letter, one_line
from core.notifications.kinds import Kind

if TYPE_CHECKING:
    from core.notifications.kinds import Told

KIND: Final = "announcement"
TEST_KIND: Final = "announcement_test"
LONGEST_TITLE: Final = 255


def data_of(announcement: Announcement) -> dict[str, Any]:
    """Return what a row of the inbox is made of. Not the signature: that is somebody's name."""
    return {
        "id": announcement.pk,
        "title": announcement.title,
        "summary": announcement.summary,
        "link": announcement.link,
    }


def inbox_letter(told: Told) -> Letter:
    data = told.data
    return Letter(
        subject=one_line(data["title"], LONGEST_TITLE),
        opening=data["summary"],
        facts=(button(data["link"]),),
    )


def mail_letter(told: Told) -> Letter | None:
    """Write the mail, or none: deleted, expired, put off, or not for that person any more."""
    rows = Announcement.objects.visible_to(told.person).in_state(Announcement.State.PUBLISHED)
    announcement = rows.filter(pk=told.data["id"]).first()
    return letter_of(announcement) if announcement else None


def words_of_test(told: Told) -> Letter:
    return Letter(subject=subject_of_test(told.data["title"]), opening="")


def mail_of_test(told: Told) -> Letter | None:
    """Write the mail as it would leave now, whatever its state, to an admin who tries it out."""
    announcement = Announcement.objects.visible_to(told.person).filter(pk=told.data["id"]).first()
    return letter_of(announcement, subject=subject_of_test(announcement.title)) if announcement else None


def letter_of(announcement: Announcement, *, subject: str = "") -> Letter:
    """Write the letter, in the language that is spoken. A title that its subject cuts short stands below."""
    title, short = one_line(announcement.title, LONGEST_TITLE), one_line(announcement.title)
    whole = (Fact(_("Title"), title),) if short != title else ()
    return Letter(
        subject=subject or short,
        opening=announcement.summary,
        facts=(*whole, button(announcement.link)),
        content=announcement.content,
        closing=announcement.author,
    )


def subject_of_test(title: str) -> str:
    return one_line(_("[Test] %(title)s") % {"title": title})


def button(link: str | None) -> Fact:
    """Lead to where the announcement points, or else to the client's page of announcements."""
    if link:
        return Fact(_("Link"), link, action=_("Open the link"))
    page = f"{settings.FRONTEND_BASE_URL.rstrip('/')}/#/announcements"
    return Fact(_("Announcements"), page, action=_("See all announcements"))


NEWS: Final = Kind(
    name=KIND,
    label=gettext_lazy("Announcements"),
    write=inbox_letter,
    mail=mail_letter,
    priority=-10,  # thousands at once: whatever is meant for one person goes first
)
TEST: Final = Kind(
    name=TEST_KIND,
    label=gettext_lazy("Tests of announcements"),
    write=words_of_test,
    mail=mail_of_test,
    is_mandatory=True,  # whoever asks for it wants it now, however they take other mail
    priority=10,
    in_inbox=False,
    is_listed=False,
)
