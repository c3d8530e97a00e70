"""Fresh proof: people at the admin site show again who they are, before exports, erasure and new rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import admin
from django.contrib.auth import authenticate
from django.contrib.auth.views import redirect_to_login
from django.urls import reverse

from authentication.challenges import Door, WrongCredential, account_key
from authentication.console.forms import CodeForm, OwnPasswordForm
from authentication.console.pages import DoorPage, Way, about_a_code, go, take_code
from authentication.devices import browser_of, remember
from authentication.services import request_sign_in
from authentication.throttling import LinksPerSource, VerificationsPerSource
from core import audit
from core.admin.house import actor
from core.admin.proof import is_fresh, note_proof
from users.addresses import normalise

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase


WHY: Final = (
    "What you are about to do takes people's data away, deletes it, or gives rights. We mail you a code."
)
DONE: Final = "Thank you. Close this tab, go back to the page that you have filled in, and save it again."


class ConfirmView(DoorPage):
    """The page at ``/admin/confirm/``: a code to the person's own address, or a superuser's password."""

    heading = "Confirm that it is you"

    @property
    def is_sent(self) -> bool:
        return "sent" in self.request.GET

    @property
    def is_done(self) -> bool:
        """Whether this is the end of a proof beside a form that waits in another tab."""
        return "done" in self.request.GET and is_fresh(self.request)

    @property
    def has_password(self) -> bool:
        return actor(self.request).is_superuser and actor(self.request).has_usable_password()

    def words(self) -> list[str]:
        if self.is_done:
            return [DONE]
        if self.is_sent:
            return ["A mail with a code is on its way to your own address. Type the code here."]
        return [WHY]

    def ways(self) -> list[Way]:
        if self.is_done:
            return []
        here = self.keeping_next("admin:confirm", **({"sent": "1"} if self.is_sent else {}))
        send = Way("Send me a code", here, does="send")
        code = Way("Confirm", here, CodeForm(), does="code")
        password = Way("Confirm with my password", here, OwnPasswordForm(), does="password", is_main=False)
        return [code if self.is_sent else send, *([password] if self.has_password else [])]

    def links(self) -> list[tuple[str, str]]:
        if self.is_done:
            return [("To the first page", reverse("admin:index"))]
        again = [("Send me another code", self.keeping_next("admin:confirm"))] if self.is_sent else []
        return [*again, ("Not now", reverse("admin:index"))]

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not admin.site.has_permission(request):
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self.page()

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Send a code, or take one, or a password: within the budgets of sign-in."""
        does = request.POST.get("do")
        if does == "send":
            return self.send()
        self.within(VerificationsPerSource)
        if does == "password":
            self.check_password()
        else:
            self.check_code()
        return self.confirmed(by="password" if does == "password" else "code")

    def send(self) -> HttpResponseBase:
        self.within(LinksPerSource)
        request_sign_in(normalise(actor(self.request).email), door=Door.PROOF)
        return go(self.keeping_next("admin:confirm", sent="1"))

    def check_code(self) -> None:
        """Take the code. Raises WrongCredential (400)."""
        form, address = CodeForm(self.request.POST), normalise(actor(self.request).email)
        code = form.cleaned_data["code"] if form.is_valid() else ""
        with about_a_code():
            take_code(self.request, code, address=address, door=Door.PROOF)

    def check_password(self) -> None:
        """Take a superuser's password, within its own budgets too. Raises WrongCredential (400)."""
        form, who = OwnPasswordForm(self.request.POST), actor(self.request)
        password = form.cleaned_data["password"] if form.is_valid() else ""
        if authenticate(self.request, username=who.email, password=password) != who:
            raise WrongCredential("This password is not correct.")

    def confirmed(self, *, by: str) -> HttpResponseBase:
        who = actor(self.request)
        audit.record("proved", actor=who, target=who, changes={"by": by})
        note_proof(self.request)
        response = go(self.next)
        known = account_key(normalise(who.email))
        remember(response, browser_of(self.request), known, path=reverse("admin:index"))
        return response
