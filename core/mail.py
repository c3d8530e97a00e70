"""Letters: one source, two parts (plain text and HTML), sent through Django's mail backends."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string


@dataclass(frozen=True)
class Fact:
    """A line ``label: value``. With an ``action`` the value is a link, in the HTML part below a button."""

    label: str
    value: str
    action: str = ""


@dataclass(frozen=True)
class Letter:
    """What is said, without how it looks. Text is escaped in the HTML part, never in the other."""

    subject: str
    opening: str
    facts: tuple[Fact, ...] = ()
    closing: str = ""


def send(letter: Letter, *, to: str) -> None:
    """Send one letter to one address. Raises what the mail backend raises; call it from a task alone."""
    context = {"letter": letter, "programme": settings.PROGRAMME_NAME}
    message = EmailMultiAlternatives(
        subject=letter.subject,
        body=render_to_string("mail/letter.txt", context),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[to],
    )
    message.attach_alternative(render_to_string("mail/letter.html", context), "text/html")
    message.send()
