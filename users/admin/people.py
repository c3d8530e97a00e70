"""Accounts at the admin site, written by the same services as over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied

from core import audit
from core.admin import MailTroubleFilter, TakesAlong, actor, changed_fields
from core.admin.confirming import chosen
from core.admin.filters import TrackFilter
from core.admin.library import AdminPasswordChangeForm
from core.admin.proof import ProvedChanges, ProvedDeletion, with_fresh_proof
from core.notifications.troubles import trouble_of
from core.roles import Role
from users.access import may_manage
from users.admin.additions import person_inlines
from users.admin.attention import PeopleNeedFilter, TellsOfChecks
from users.admin.deeds import PeopleDeeds
from users.admin.exports import ExportsPeople
from users.admin.sections import (
    NamesAndAddress,
    PersonForm,
    ProfileInline,
    StudentsInline,
    SupervisorProfileInline,
    SupervisorsInline,
)
from users.models import SupervisorProfile, User, UserProfile
from users.services.accounts import RIGHTS, SYNCED, change_account, create_account
from users.services.erasure import erase_person

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

MOST_ERASED = 100
FLAGS = ["is_staff", "is_superuser"]
BY_SERVICE = RIGHTS | {"track"}
SECTIONS = {UserProfile: "profile", SupervisorProfile: "supervisor_profile"}
SIGN_IN = ["username", "password"]
TITLE_OF_RIGHTS = "Rights at the platform and at this site"
SITE_RIGHTS = {"Groups", "User permissions", "password"}
PROVED = RIGHTS | {"groups", "user_permissions"}


@admin.register(User)
class UserAdmin(
    ProvedDeletion,
    ProvedChanges,
    ExportsPeople,
    PeopleDeeds,
    TellsOfChecks,
    TakesAlong,
    DjangoUserAdmin,
):
    """Signs people up by their address alone: nobody but staff has a password."""

    recorded_by_services = True
    form = PersonForm
    add_form = NamesAndAddress
    change_password_form = AdminPasswordChangeForm
    fieldsets = (
        ("Account", {"fields": ["email", "mailbox", "first_name", "last_name", "date_joined", "last_login"]}),
        ("Programme", {"fields": ["role", "track", "status"]}),
        (TITLE_OF_RIGHTS, {"fields": [*SIGN_IN, "is_active", *FLAGS, "groups", "user_permissions"]}),
    )
    add_fieldsets = ((None, {"fields": ["email", "first_name", "last_name", "role", "track", "status"]}),)
    list_display = ["person", "email", "role", "track", "status", "mailbox", "date_joined"]
    list_filter = [
        *(PeopleNeedFilter, "role", "status", TrackFilter, "is_staff", "is_superuser", MailTroubleFilter),
    ]
    list_select_related = ["mail_trouble"]
    search_fields = ["email", "first_name", "last_name"]
    search_help_text = "Part of a name, first and last together, or of an address."
    ordering = ["email"]
    autocomplete_fields = ["groups"]
    filter_horizontal = []
    filter_vertical = ["user_permissions"]
    date_hierarchy = "date_joined"
    actions = ["activate", "suspend", "sign_out", "export_chosen"]

    @admin.display(description="person", ordering="first_name")
    def person(self, person: User) -> str:
        return person.name

    @admin.display(description="mail trouble", empty_value="none")
    def mailbox(self, person: User) -> str | None:
        """Say why the person gets no mail at the address that they have now."""
        trouble = trouble_of(person)
        return f"{trouble.get_cause_display()}, {trouble.happened_at:%Y-%m-%d}" if trouble else None

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        """A student has people who look after them, anybody else people after whom they look."""
        if obj is None:
            return []
        links = SupervisorsInline if obj.role == Role.STUDENT else StudentsInline
        return [ProfileInline, SupervisorProfileInline, links, *person_inlines]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Look as the API does: by the index of names and addresses."""
        people: Any = queryset
        return people.matching(search_term), False

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """A password, and its hash, are superusers' business."""
        if obj is None or actor(request).is_superuser:
            return super().get_fieldsets(request, obj)
        rights = {"fields": ["username", "is_active", *FLAGS, "groups", "user_permissions"]}
        return (*self.fieldsets[:-1], (TITLE_OF_RIGHTS, rights))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Flags are for superusers, roles for platform admins, and nobody changes their own rights."""
        who, fixed = actor(request), {"username", "date_joined", "last_login", "mailbox"}
        if not who.is_superuser:
            fixed |= {*FLAGS, "groups", "user_permissions"}
        if not who.is_platform_admin:
            fixed |= {"role"}
        return sorted(fixed | RIGHTS if obj == who else fixed)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or may_manage(actor(request), obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        who = actor(request)
        return allowed and (obj is None or (not (obj == who or obj.is_superuser) and may_manage(who, obj)))

    def gives_rights(self, form: Any) -> bool:
        """A new address is a right: whoever has the mailbox signs in as the person."""
        if form.instance.pk is None:
            return bool(form.cleaned_data.get("role") == Role.ADMIN)
        return not PROVED.isdisjoint(form.changed_data)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 - Django's name
        if not actor(request).is_superuser:
            raise PermissionDenied
        return with_fresh_proof(super().user_change_password)(request, id, form_url)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Write by the same services as the API. Runs in the page's transaction, as does what follows."""
        sent = form.cleaned_data
        written = set(form.changed_data) if change else set(sent)
        sections = {
            "account": {name: sent[name] for name in BY_SERVICE & written},
            "profile": {name: sent[name] for name in SYNCED if name in written},
        }
        if change:
            change_account(User.objects.get(pk=obj.pk), by=actor(request), **sections)
        else:
            obj.pk = create_account(by=actor(request), **sections).pk
        obj.refresh_from_db()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """The rows beside the account go the same way."""
        for row in [row for row in formset.forms if row.has_changed()]:
            values = {name: row.cleaned_data[name] for name in row.changed_data}
            person = User.objects.get(pk=form.instance.pk)
            change_account(person, by=actor(request), **{SECTIONS[formset.model]: values})
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Record what is of the admin site alone, and no service writes."""
        if fields := [field for field in changed_fields(message) if field in SITE_RIGHTS]:
            audit.record("changed", actor=actor(request), target=obj, changes={"fields": fields})
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Django's own history would keep the name of a person who is erased."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Refuse more people than are erased while a page waits: each takes much along."""
        return super().get_deleted_objects(chosen(objs, most=MOST_ERASED), request)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        erase_person(obj, by=actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset:
            self.delete_model(request, person)
