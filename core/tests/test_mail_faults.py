"""What an error of a mail backend means: for ever or for now, without anybody's address in it."""

from __future__ import annotations

import smtplib

from anymail.exceptions import (
    AnymailAPIError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailRequestsAPIError,
)
from django.core.mail import BadHeaderError
from django.test import SimpleTestCase

from core.notifications.faults import MAIL_FAULTS, fault_of


class FaultTests(SimpleTestCase):
    def test_each_says_what_happened_and_whether_a_try_can_help(self) -> None:
        address = "ada@example.org"
        cases = [
            (
                smtplib.SMTPRecipientsRefused({address: (550, b"5.1.1 <ada@example.org> no")}),
                "recipient refused 550 5.1.1",
                True,
            ),
            (
                smtplib.SMTPRecipientsRefused({address: (450, b"4.2.0 <ada@example.org> later")}),
                "recipient refused 450 4.2.0",
                False,
            ),
            (smtplib.SMTPRecipientsRefused({}), "recipient refused 0", False),
            (smtplib.SMTPDataError(554, b"5.7.1 ada@example.org is spam"), "refused 554 5.7.1", True),
            (smtplib.SMTPDataError(452, "full"), "refused 452", False),
            (smtplib.SMTPSenderRefused(550, b"not you", "x@example.org"), "refused 550", False),
            (smtplib.SMTPAuthenticationError(535, b"5.7.8 Bad"), "refused 535 5.7.8", False),
            (smtplib.SMTPServerDisconnected(address), "not reached: SMTPServerDisconnected", False),
            (smtplib.SMTPNotSupportedError(address), "cannot be sent: SMTPNotSupportedError", True),
            (ConnectionRefusedError(address), "not reached: ConnectionRefusedError", False),
            (TimeoutError(address), "not reached: TimeoutError", False),
            (BadHeaderError(address), "cannot be sent: BadHeaderError", True),
            (AnymailRecipientsRefused(address), "cannot be sent: AnymailRecipientsRefused", True),
            (AnymailInvalidAddress(address), "cannot be sent: AnymailInvalidAddress", True),
            (AnymailRequestsAPIError(address), "not reached: AnymailRequestsAPIError", False),
        ]
        for error, reason, is_final in cases:
            with self.subTest(reason):
                self.assertIsInstance(error, MAIL_FAULTS)
                self.assertEqual(tuple(fault_of(error)), (reason, is_final))
                self.assertNotIn(address, fault_of(error).reason)

    def test_a_service_is_asked_again_unless_it_refused_the_mail_itself(self) -> None:
        for status, is_final in (
            (400, True),
            (422, True),
            (413, True),
            (401, False),
            (429, False),
            (503, False),
            (200, True),
        ):
            with self.subTest(status):
                error = AnymailAPIError("ada@example.org", status_code=status)
                self.assertEqual(tuple(fault_of(error)), (f"service answered {status}", is_final))
