"""Signing in as a person does: ask, read the mail, redeem."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core import mail
from django.core.cache import cache
from django.urls import reverse
from rest_framework.test import APIClient, APITestCase

from authentication.sessions import open_session

if TYPE_CHECKING:
    from users.models import User

ADDRESS = "ada@example.org"


@dataclass(frozen=True)
class Mailed:
    """What one mail carries."""

    token: str
    code: str


def newest_mail() -> Mailed:
    message = mail.outbox[-1]
    code = re.search(r"One-Time Code: (\d{6})$", str(message.body), re.MULTILINE)
    assert code, message.body
    return Mailed(link_in(message), code[1])


def link_in(message: Any) -> str:
    """Return the token of the link in a mail."""
    token = re.search(r"Magic Link: \S+/auth/verify\?token=([\w-]+)$", str(message.body), re.MULTILINE)
    assert token, message.body
    return token[1]


def ask(client: APIClient, address: str = ADDRESS, **extra: Any) -> Any:
    return client.post(
        reverse("authentication:request-magic-link"), {"email": address}, format="json", **extra
    )


def redeem_code(client: APIClient, code: str, address: str = ADDRESS, **extra: Any) -> Any:
    body = {"email": address, "code": code}
    return client.post(reverse("authentication:verify-otp"), body, format="json", **extra)


def redeem_link(client: APIClient, token: str, **extra: Any) -> Any:
    return client.post(reverse("authentication:verify-magic-link"), {"token": token}, format="json", **extra)


def refresh(client: APIClient, token: str) -> Any:
    return client.post(reverse("authentication:refresh-token"), {"refresh_token": token}, format="json")


def mailed(client: APIClient, address: str = ADDRESS) -> Mailed:
    assert ask(client, address).status_code == 200
    return newest_mail()


def bearer(access: str) -> Any:
    return {"HTTP_AUTHORIZATION": f"Bearer {access}"}


def signed_in_client(user: User) -> APIClient:
    """Return a client that holds a real session of the user."""
    client = APIClient()
    client.credentials(**bearer(open_session(user, user_agent="").access))
    return client


def wrong(code: str) -> str:
    """Return a code that is not this one."""
    return f"{(int(code) + 1) % 10**6:06d}"


class SignInTestCase(APITestCase):
    """Every test starts with empty budgets and no challenge."""

    def setUp(self) -> None:
        cache.clear()
