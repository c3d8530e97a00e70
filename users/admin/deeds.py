"""What is done to several people at once, after a page that says to how many."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.http import Http404, HttpResponseRedirect
from django.urls import reverse

from core.admin import HouseAdmin, actor
from core.admin.confirming import Deed, Question, ask, ask_then_do, do_to_each, is_confirmed, sorted_out
from core.admin.library import button
from users.access import NotYours, OwnAccount, may_manage
from users.admin.additions import people_actions
from users.models import User
from users.services.accounts import change_status
from users.services.signing_out import sign_out

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

PEOPLE: Final = ("person", "people")
SIGNED_OUT: Final = (
    "They are signed out on every device and at the admin site, at once. They may sign in again."
)
SUSPENDED: Final = (
    "They are signed out everywhere, at once, and cannot sign in until they are activated. They are told."
)
ACTIVATED: Final = "They may use the platform, and are told so by inbox and mail."


def to_status(status: User.Status, *, by: User) -> Deed:
    """Say what a change of status means. The rules are asked again, with the rows held, for each."""

    def why_not(person: User) -> str:
        if person.status == status:
            return f"Already {status.label.lower()}."
        if not may_manage(by, person):
            return NotYours.sentence
        return OwnAccount.sentence if person == by else ""

    is_suspension = status == User.Status.INACTIVE
    return Deed(
        title="Suspend people" if is_suspension else "Activate people",
        says=SUSPENDED if is_suspension else ACTIVATED,
        verb="Suspend" if is_suspension else "Activate",
        done="suspended: they are signed out everywhere." if is_suspension else "activated.",
        do=partial(change_status, status=status),
        why_not=why_not,
        noun=PEOPLE,
        is_grave=is_suspension,
    )


def signing_out(*, by: User) -> Deed:
    """Say what signing out everywhere means."""

    def why_not(person: User) -> str:
        return "" if may_manage(by, person) else NotYours.sentence

    return Deed(
        title="Sign people out everywhere",
        says=SIGNED_OUT,
        verb="Sign out",
        done="signed out everywhere.",
        do=sign_out,
        why_not=why_not,
        noun=PEOPLE,
    )


class PeopleDeeds(HouseAdmin):
    """The actions of the list of people, also those that other apps have added."""

    actions_detail = ["sign_out_person"]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        if not actions:
            return actions  # where a person is chosen in a window of its own
        added = {
            name: (each.run, name, each.description)
            for name, each in people_actions.entries.items()
            if each.allowed(request)
        }
        return actions | added

    def has_sign_out_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.has_change_permission(request)

    @admin.action(description="Activate selected people", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        return ask_then_do(self, request, queryset, to_status(User.Status.ACTIVE, by=actor(request)))

    @admin.action(description="Suspend selected people", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """Suspend whom the rules let the person at the desk suspend; say how many were left out, and why."""
        return ask_then_do(self, request, queryset, to_status(User.Status.INACTIVE, by=actor(request)))

    @admin.action(description="Sign selected people out everywhere", permissions=["sign_out"])
    def sign_out(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        return ask_then_do(self, request, queryset, signing_out(by=actor(request)))

    @button(description="Sign out everywhere", url_path="sign-out", permissions=["sign_out"], icon="logout")
    def sign_out_person(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then sign one person out; back to their page."""
        person = self.get_object(request, object_id)
        if person is None:
            raise Http404
        deed = signing_out(by=actor(request))
        rows, left_out = sorted_out([person], deed.why_not)
        back = reverse("admin:users_user_change", args=[person.pk])
        if is_confirmed(request):
            do_to_each(self, request, rows, deed.do, done=deed.done, left_out=left_out)
            return HttpResponseRedirect(back)
        question = Question(
            title="Sign out everywhere",
            says=SIGNED_OUT,
            verb=deed.verb,
            rows=rows,
            noun=PEOPLE,
            back=back,
            left_out=left_out,
        )
        return ask(self, request, question)
