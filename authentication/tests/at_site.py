"""Coming in at the admin site as people do: ask, read the mail, type or click."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.test import TestCase

from authentication.tests.signing_in import Mailed
from core.testing import undrawn
from users.tests.factories import make_user

if TYPE_CHECKING:
    from users.models import User

ASK: Final = "/admin/login/"
CODE: Final = "/admin/login/code/"
LINK: Final = "/admin/sign-in/"
PASSWORD: Final = "/admin/login/password/"
CONFIRM: Final = "/admin/confirm/"
DESK: Final = "desk@example.org"


def site_mail() -> Mailed:
    """Return what the newest mail carries; a mail for a proof has no link."""
    body = str(mail.outbox[-1].body)
    code = re.search(r"One-Time Code: (\d{6})$", body, re.MULTILINE)
    link = re.search(
        rf"Magic Link: {re.escape(settings.PUBLIC_BASE_URL)}/admin/sign-in/\?token=([\w-]+)$",
        body,
        re.MULTILINE,
    )
    assert code, body
    return Mailed(link[1] if link else "", code[1])


class SiteTestCase(TestCase):
    """Every test starts with empty budgets, no challenge, and one person at the desk."""

    person: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.person = make_user(email=DESK, is_staff=True)

    def setUp(self) -> None:
        cache.clear()

    def ask(self, address: str = DESK, **query: str) -> Any:
        return self.client.post(ASK, {"email": address}, query_params=query)

    def mailed(self, address: str = DESK, **query: str) -> Mailed:
        assert self.ask(address, **query).status_code == 302
        return site_mail()

    def type_code(self, code: str, **extra: Any) -> Any:
        return self.client.post(CODE, {"code": code}, **extra)

    def click(self, token: str) -> Any:
        return self.client.post(LINK, {"token": token})

    def is_in(self) -> bool:
        """Tell whether the first page opens."""
        with undrawn():
            return bool(self.client.get("/admin/").status_code == 200)

    def assert_led(self, response: Any, url: str = "/admin/") -> None:
        """Tell that an answer leads to a page of the site, and that it opens."""
        with undrawn():
            self.assertRedirects(response, url)
