"""What people type at the door of the admin site."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from core.admin.library import AuthenticationForm
from users.access import may_use_site
from users.addresses import normalise

WRONG_PASSWORD = "This address and password are not correct. Most people sign in with a link and a code here."  # noqa: S105 - a sentence


class AddressForm(forms.Form):
    """Whom to mail, in the one spelling of the address."""

    email = forms.CharField(
        label="E-mail address",
        max_length=320,
        widget=UnfoldAdminEmailInputWidget({"autofocus": True, "autocomplete": "username"}),
    )

    def clean_email(self) -> str:
        return normalise(self.cleaned_data["email"])


class CodeForm(forms.Form):
    """The code out of the mail, however its digits are set apart."""

    code = forms.CharField(
        label="Six-digit code",
        max_length=20,
        widget=UnfoldAdminTextInputWidget(
            {"autofocus": True, "autocomplete": "one-time-code", "inputmode": "numeric"}
        ),
    )

    def clean_code(self) -> str:
        return "".join(self.cleaned_data["code"].split())


class TokenForm(forms.Form):
    """The token of the mailed link, which the page hands on."""

    token = forms.CharField(max_length=200, widget=forms.HiddenInput)


class PasswordForm(AuthenticationForm):
    """Address and password of a superuser; whatever is wrong is told in the same words."""

    error_messages = {"invalid_login": WRONG_PASSWORD, "inactive": WRONG_PASSWORD}

    def confirm_login_allowed(self, user: Any) -> None:
        if not may_use_site(user):
            raise self.get_invalid_login_error()


class OwnPasswordForm(forms.Form):
    """The password of whoever is signed in."""

    password = forms.CharField(
        label="Password",
        max_length=4_096,
        strip=False,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "current-password"}),
    )
