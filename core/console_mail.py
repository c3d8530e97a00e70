"""Mail on a developer's screen: the text of each letter in a frame, where link and code are seen at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from django.core.mail.backends import console

if TYPE_CHECKING:
    from django.core.mail.message import EmailMessage

WIDTH: Final = 78
# What would colour, move or clear a terminal. Line ends and tabs stay.
CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
CODE: Final = re.compile(r"(?m)^One-Time Code: .*$")
BOLD, PLAIN = "\x1b[1;7m", "\x1b[0m"


class EmailBackend(console.EmailBackend):
    """Writes To, Subject, the plain-text part and the names of what is attached; the HTML part is left out.

    The line with the code stands out where the stream is a terminal.
    """

    def write_message(self, message: EmailMessage) -> None:
        text = CONTROLS.sub("", framed(message))
        if self.stream.isatty():
            text = CODE.sub(lambda line: f"{BOLD}{line[0]}{PLAIN}", text)
        self.stream.write(text)


def framed(message: EmailMessage) -> str:
    files = [f"Attached: {part.get_filename()}" for part in message.message().walk() if part.get_filename()]
    head = [f"To: {', '.join(message.recipients())}", f"Subject: {message.subject}"]
    lines = ["", " Mail ".center(WIDTH, "="), *head, "", str(message.body).rstrip(), "", *files, "=" * WIDTH]
    return "\n".join(lines) + "\n\n"
