"""Pages at the door of the admin site, as routes of that site."""

from __future__ import annotations

from typing import Final

from django.urls import path

from authentication.console.confirming import ConfirmView
from authentication.console.views import CodeView, LinkView, PasswordView

door_urls: Final = [
    path("login/code/", CodeView.as_view(), name="sign_in_code"),
    path("login/password/", PasswordView.as_view(), name="password"),
    path("sign-in/", LinkView.as_view(), name="sign_in"),
    path("confirm/", ConfirmView.as_view(), name="confirm"),
]
