"""What is done to several people at once, after a page that says to how many."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse

from core.admin import HouseAdmin, actor
from core.admin.confirming import Deed, ask_then_do, ask_then_do_to_one
from core.admin.library import button
from core.admin.proof import ask_for_proof, is_fresh
from users.access import NotYours, OwnAccount, may_manage
from users.admin.additions import people_actions
from users.models import User
from users.services.accounts import change_status
from users.services.signing_out import sign_out

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

PEOPLE: Final = ("person", "people")
WITH_REACH: Final = User.ADMINS | Q(is_staff=True)
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
        """Let people in; those who would come in at this site, or as admins, after a fresh proof alone."""
        if not is_fresh(request) and queryset.filter(WITH_REACH).exists():
            return ask_for_proof(request)
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
        person, deed = self.get_object(request, object_id), signing_out(by=actor(request))
        back = reverse("admin:users_user_change", args=[object_id])
        return ask_then_do_to_one(self, request, person, deed, back=back)
