"""What a failed mail means: for ever or for now, and in which words, none of them an address."""

from __future__ import annotations

import re
import smtplib
from typing import Final, NamedTuple

from anymail.exceptions import (
    AnymailAPIError,
    AnymailError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailUnsupportedFeature,
)
from django.core.mail import BadHeaderError

# What a mail backend may raise. Anything else is a fault of ours, and the task's to report.
MAIL_FAULTS: Final = (smtplib.SMTPException, OSError, AnymailError, BadHeaderError, UnicodeError)
ENHANCED: Final = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")  # RFC 3463
# A service refuses what was sent, not that it is asked.
FINAL: Final = (
    *(AnymailRecipientsRefused, AnymailInvalidAddress, AnymailUnsupportedFeature),
    *(BadHeaderError, UnicodeError, smtplib.SMTPNotSupportedError),
)
PERMANENT: Final = 5
TAKEN: Final = 2
REFUSED_BY_SERVICE: Final = frozenset({400, 413, 422})


class Fault(NamedTuple):
    """Why a mail did not leave; whether another try can help."""

    reason: str
    is_final: bool


def fault_of(error: Exception) -> Fault:
    """Return what an error of the mail backend means for the one mail that was being sent.

    A refused sign-in or sender is our own matter: it is mended, and the mail leaves then.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()), (0, b""))
        return Fault(reply("recipient refused", code, text), is_final=is_permanent(code))
    if isinstance(error, smtplib.SMTPResponseException):
        about_content = isinstance(error, smtplib.SMTPDataError) and is_permanent(error.smtp_code)
        return Fault(reply("refused", error.smtp_code, error.smtp_error), is_final=about_content)
    if isinstance(error, FINAL):
        return Fault(f"cannot be sent: {type(error).__name__}"[:100], is_final=True)
    if isinstance(error, AnymailAPIError) and error.status_code:
        # A success in words that Anymail cannot read is no reason to send the mail again.
        is_final = error.status_code in REFUSED_BY_SERVICE or error.status_code // 100 == TAKEN
        return Fault(f"service answered {error.status_code}", is_final=is_final)
    return Fault(f"not reached: {type(error).__name__}"[:100], is_final=False)


def is_permanent(code: int) -> bool:
    """Return whether an SMTP reply means that no other try can help (RFC 5321 4.2.1)."""
    return code // 100 == PERMANENT


def reply(what: str, code: int, text: bytes | str) -> str:
    """Put an SMTP reply into words without its own, which repeat the address."""
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    enhanced = ENHANCED.search(said)
    return " ".join([what, str(code), *([enhanced.group()] if enhanced else [])])
