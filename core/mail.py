"""Letters: one source, two parts (plain text and HTML), for one reader, through Django's mail backends."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from css_inline import CSSInliner
from django.conf import settings
from django.core.mail import BadHeaderError, EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import dateformat, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.colours import ink_on, readable
from core.markdown import safe_html

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import date, datetime

# Line ends, tabs and other control characters; and what turns the writing direction of all that follows.
NOT_OF_ONE_LINE: Final = re.compile("[\\s\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")

ONE_ADDRESS: Final = re.compile(r'(?:"[^"\\\r\n]*"|[^\s"(),:;<>@\\]+)@[^\s"(),;<>@\\]+')
SMALL_DAYS: Final = {"pt-br"}  # languages that write days and months small, which Django writes large
LIGHT: Final = {
    "page": "#f4f6f8",
    "surface": "#ffffff",
    "ink": "#1c2733",
    "muted": "#5b6875",
    "rule": "#d5dce3",
}
DARK: Final = {
    "page": "#12181e",
    "surface": "#1b232b",
    "ink": "#e6ebf0",
    "muted": "#a3b0bd",
    "rule": "#3a4652",
}
INLINER: Final = CSSInliner(load_remote_stylesheets=False)


@dataclass(frozen=True)
class Fact:
    """A line ``label: value``. With an ``action`` the value is a link, in the HTML part below a button."""

    label: str
    value: str
    action: str = ""
    is_code: bool = False  # something to type: large, its characters apart


@dataclass(frozen=True)
class Line:
    """One thing of a list, such as of a daily mail."""

    text: str
    link: str = ""


@dataclass(frozen=True)
class Attachment:
    """A file. Its kind is a MIME type with its parameters; ``text/calendar; method=...`` is an invitation."""

    name: str
    content: bytes
    kind: str


@dataclass(frozen=True)
class Letter:
    """What is said, without how it looks. Text is escaped in the HTML part, never in the other."""

    subject: str
    opening: str
    facts: tuple[Fact, ...] = ()
    content: str = ""  # Markdown: HTML in the one part, as it stands in the other
    lines: tuple[Line, ...] = ()
    closing: str = ""
    attachments: tuple[Attachment, ...] = ()

    @property
    def link(self) -> str:
        """Where its first button leads, or nothing."""
        return next((fact.value for fact in self.facts if fact.action), "")


@dataclass(frozen=True)
class Reader:
    """For whom a letter is written: in which language, and by which clock."""

    language: str = field(default_factory=lambda: settings.PROGRAMME_LANGUAGE)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo(settings.PROGRAMME_TIME_ZONE))

    def speaking(self) -> AbstractContextManager[None]:
        """Have words inside the block be in the reader's language."""
        return translation.override(self.language)

    def moment(self, at: datetime) -> str:
        """Return such as ``Friday, 4 December 2026, 18:00 (Australia/Sydney)``. The moment is aware."""
        local = at.astimezone(self.zone)
        return f"{self.day(local.date())}, {local:%H:%M} ({self.zone.key})"

    def day(self, day: date) -> str:
        """Return such as ``Friday, 4 December 2026``."""
        with self.speaking():
            written = dateformat.format(day, pgettext("format of a day", "l, j F Y"))
        return written.lower() if self.language in SMALL_DAYS else written


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """To whom a letter goes, and what its footer says of why. Links are addresses of this programme."""

    to: str
    message_id: str = ""
    unsubscribe: str = ""  # ends such mail at one POST, without signing in (RFC 8058)
    why: str = ""


def compose(letter: Letter, envelope: Envelope, *, reader: Reader | None = None) -> EmailMultiAlternatives:
    """Return the mail. Raises BadHeaderError where it would not go to one address."""
    reader = reader or Reader()
    if not ONE_ADDRESS.fullmatch(envelope.to):
        raise BadHeaderError("A letter goes to one address.")
    with reader.speaking():
        context = said(letter, envelope)
        text = render_to_string("mail/letter.txt", context).rstrip() + "\n"
        html = INLINER.inline(render_to_string("mail/letter.html", context))
    message = EmailMultiAlternatives(
        subject=letter.subject,
        body=text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[envelope.to],
        headers=headers(envelope),
    )
    message.attach_alternative(html, "text/html")
    for attachment in letter.attachments:
        attach(message, attachment)
    return message


def said(letter: Letter, envelope: Envelope) -> dict[str, object]:
    """Return what the templates show. Buttons stand below what there is to read."""
    first = [fact for fact in letter.facts if not (fact.action and (letter.content or letter.lines))]
    return {
        "letter": letter,
        "envelope": envelope,
        "lang": translation.to_locale(translation.get_language()).replace("_", "-"),
        "programme": settings.PROGRAMME_NAME,
        "preview": one_line(letter.opening),
        "first": first,
        "last": [fact for fact in letter.facts if fact not in first],
        "markdown": letter.content.strip(),
        "content": safe_html(letter.content),
        "footer": [Fact(_("Unsubscribe"), envelope.unsubscribe)] if envelope.unsubscribe else [],
        "light": LIGHT | {"accent": readable(settings.PROGRAMME_COLOUR, on=LIGHT["surface"])},
        "dark": DARK | {"accent": readable(settings.PROGRAMME_COLOUR, on=DARK["surface"])},
        "button": {"ground": settings.PROGRAMME_COLOUR, "ink": ink_on(settings.PROGRAMME_COLOUR)},
    }


def attach(message: EmailMultiAlternatives, attachment: Attachment) -> None:
    """Attach a file. An invitation is a third way to read the mail, too: mail programs look for it there.

    A mail service that takes fields instead of a mail knows two ways: there the file says that it invites.
    """
    kind = re.sub(r";\s*charset=[^;]*", "", attachment.kind)  # Django and anymail say it of each text
    if kind.startswith("text/calendar") and not settings.EMAIL_BACKEND.startswith("anymail."):
        message.attach_alternative(attachment.content.decode(), kind)
        kind = f'application/ics; name="{attachment.name}"'  # not the same again: some would show it twice
    message.attach(attachment.name, attachment.content, kind)


def headers(envelope: Envelope) -> dict[str, str]:
    """Return what machines read: answer nothing by yourself (RFC 3834), unsubscribe so (RFC 8058)."""
    found = {"Auto-Submitted": "auto-generated"}
    if envelope.message_id:
        found["Message-ID"] = envelope.message_id
    if envelope.unsubscribe:
        found["List-Unsubscribe"] = f"<{envelope.unsubscribe}>"
        found["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return found


def one_line(text: str, most: int = 120) -> str:
    """Return a title fit for a subject: one line, at most so many characters."""
    line = NOT_OF_ONE_LINE.sub(" ", text).strip()
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"
