"""Signing in at the admin site: ask for a mail, then the code in the same browser, or the link."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from django.contrib import admin
from django.contrib.auth import login
from django.urls import reverse
from django.utils.http import urlencode

from authentication.challenges import Door, Redeemed, account_key, redeem_link
from authentication.console.asked import Asked, asked_in, forget_asking, remember_asking
from authentication.console.forms import AddressForm, CodeForm, PasswordForm, TokenForm
from authentication.console.pages import DoorPage, Way, about_a_code, go, safe_next, take_code
from authentication.devices import browser_of, remember
from authentication.services import enter_site, note_site_sign_in, request_sign_in
from authentication.throttling import LinksPerSource, VerificationsPerSource

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

SENT: Final = "If this address may sign in here, a mail is on its way, with a link and a code."


class AskView(DoorPage):
    """The page at ``/admin/login/``: one address, one button."""

    heading = "Sign in"

    def words(self) -> list[str]:
        return ["We mail you a link and a code. Either signs you in, once."]

    def ways(self) -> list[Way]:
        return [self.way(AddressForm())]

    def way(self, form: AddressForm) -> Way:
        return Way("Send me a link and a code", self.keeping_next("admin:login"), form)

    def links(self) -> list[tuple[str, str]]:
        return [("Sign in with a password", self.keeping_next("admin:password"))]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return go(self.next) if admin.site.has_permission(request) else self.page()

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Mail the address, by the rules of the API; the answer is the same for every one of them."""
        self.within(LinksPerSource)
        form = AddressForm(request.POST)
        if not form.is_valid():
            return self.page([self.way(form)], status=400)
        address = form.cleaned_data["email"]
        request_sign_in(address, door=Door.SITE)
        response = go(reverse("admin:sign_in_code"))
        remember_asking(response, Asked(address, self.next))
        return response


class EnteringPage(DoorPage):
    """A page that signs in by what was mailed."""

    def enter(self, redeemed: Redeemed, *, by: str) -> HttpResponseBase:
        """Begin a session under a new key, and go where the person wanted. Raises WrongCredential (400)."""
        request, asked = self.request, asked_in(self.request)
        enter_site(redeemed, by=by, begin=lambda user: login(request, user))
        response = go(safe_next(request, asked.next if asked else ""))
        forget_asking(response)
        known = account_key(redeemed.address)
        remember(response, browser_of(request), known, path=reverse("admin:index"))
        return response


class CodeView(EnteringPage):
    """The page at ``/admin/login/code/``: the code, in the browser that asked."""

    heading = "Look into your mail"

    def words(self) -> list[str]:
        return [SENT, "Open the link, or type the code here."]

    def ways(self) -> list[Way]:
        return [Way("Sign in", reverse("admin:sign_in_code"), CodeForm())]

    def links(self) -> list[tuple[str, str]]:
        asked = asked_in(self.request)
        query = urlencode({"next": asked.next if asked else ""})
        return [("Ask again, or for another address", f"{reverse('admin:login')}?{query}")]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self.page() if asked_in(request) else go(reverse("admin:login"))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        asked, form = asked_in(request), CodeForm(request.POST)
        if asked is None:
            return go(reverse("admin:login"))
        self.within(VerificationsPerSource)
        if not form.is_valid():
            return self.page([Way("Sign in", reverse("admin:sign_in_code"), form)], status=400)
        code = form.cleaned_data["code"]
        with about_a_code():
            redeemed = take_code(request, code, address=asked.address, door=Door.SITE)
            return self.enter(redeemed, by="code")


class LinkView(EnteringPage):
    """The page at ``/admin/sign-in/?token=...``: a button. Mail scanners open links, and change nothing."""

    heading = "Sign in on this device"

    def words(self) -> list[str]:
        return ["You opened the link of a mail. It works once."]

    def ways(self) -> list[Way]:
        """Hand the token on in a form, whose address names none."""
        form = TokenForm(initial={"token": self.request.GET.get("token", "")})
        return [Way("Sign in", reverse("admin:sign_in"), form)]

    def links(self) -> list[tuple[str, str]]:
        return [("Ask for a new mail", reverse("admin:login"))]

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Let no other request name the token: the origin alone is told, which Django's CSRF check needs."""
        response = super().dispatch(request, *args, **kwargs)
        response.headers["Referrer-Policy"] = "strict-origin"
        return response

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self.page()

    def post(self, request: HttpRequest) -> HttpResponseBase:
        self.within(VerificationsPerSource)
        form = TokenForm(request.POST)
        token = form.cleaned_data["token"] if form.is_valid() else ""
        return self.enter(redeem_link(token, door=Door.SITE), by="link")


class PasswordView(DoorPage):
    """The page at ``/admin/login/password/``, for superusers: their door where no mail arrives."""

    heading = "Sign in with a password"
    described: ClassVar = "For superusers. Everybody else signs in with a link and a code."

    def words(self) -> list[str]:
        return [self.described]

    def ways(self) -> list[Way]:
        return [self.way(PasswordForm(self.request))]

    def way(self, form: PasswordForm) -> Way:
        return Way("Sign in", self.keeping_next("admin:password"), form)

    def links(self) -> list[tuple[str, str]]:
        return [("Sign in with a link and a code", self.keeping_next("admin:login"))]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return go(self.next) if admin.site.has_permission(request) else self.page()

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Check within the budgets of ``users.backends``; the refusals of all reasons read the same."""
        form = PasswordForm(request, data=request.POST)
        if not form.is_valid():
            return self.page([self.way(form)], status=400)
        user = form.get_user()
        login(request, user)
        note_site_sign_in(user, by="password")
        return go(self.next)
