"""People at the admin site. What changes somebody's rights follows the same rules as at every door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group as PermissionGroup
from django.core.exceptions import PermissionDenied

from core import audit
from core.admin import HouseAdmin, LookOnly, MailTroubleFilter, TakesAlong, actor, changed_fields
from core.notifications.troubles import trouble_of
from core.refusals import Refused
from users.access import check_ends, may_manage
from users.addresses import normalise
from users.models import JoinPermissionChange, StudentSupervisor, SupervisorProfile, User, UserProfile
from users.services.accounts import RIGHTS, SYNCED, change_account, change_status, create_account
from users.services.erasure import erase_person
from users.services.links import change_link, link_people, unlink

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

FLAGS = {"is_staff", "is_superuser"}
BY_SERVICE = RIGHTS | {"track"}
SECTIONS = {UserProfile: "profile", SupervisorProfile: "supervisor_profile"}
SITE_RIGHTS = {"Groups", "User permissions", "password"}


class NamesAndAddress(forms.ModelForm):
    """One spelling of the address, and names short enough for the profile, to which they are copied."""

    first_name = forms.CharField(max_length=100, required=False)
    last_name = forms.CharField(max_length=100, required=False)

    def clean_email(self) -> str:
        return normalise(self.cleaned_data["email"])


class PersonForm(NamesAndAddress, UserChangeForm):
    """An existing account."""


class ProfileInline(admin.StackedInline):
    """What a person says about themselves; their names stand with the account."""

    model = UserProfile
    exclude = SYNCED
    readonly_fields = ["areas_of_interest", "controlled_interests"]
    can_delete = False


class SupervisorProfileInline(admin.StackedInline):
    """What we know of an adult."""

    model = SupervisorProfile
    can_delete = False

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """A check is verified by platform admins, here as over the API."""
        return [] if actor(request).is_platform_admin else ["wwcc_verified"]


@admin.register(User)
class UserAdmin(TakesAlong, DjangoUserAdmin):
    """Signs people up by their address alone: nobody but staff has a password."""

    recorded_by_services = True
    form = PersonForm
    add_form = NamesAndAddress
    fieldsets = (
        (None, {"fields": ["email", "mailbox", "username", "password", "first_name", "last_name"]}),
        ("Programme", {"fields": ["role", "track", "status"]}),
        ("Rights", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Dates", {"fields": ["date_joined", "last_login"]}),
    )
    add_fieldsets = ((None, {"fields": ["email", "first_name", "last_name", "role", "track", "status"]}),)
    list_display = [
        *("email", "mailbox", "username", "role", "track", "status", "is_staff", "date_joined"),
    ]
    list_filter = ["role", "status", "track", "is_staff", "is_superuser", MailTroubleFilter]
    list_select_related = ["mail_trouble"]
    search_fields = ["email", "first_name", "last_name"]
    ordering = ["email"]
    date_hierarchy = "date_joined"
    actions = ["suspend"]

    @admin.display(description="mail trouble", empty_value="none")
    def mailbox(self, person: User) -> str | None:
        """Say why the person gets no mail at the address that they have now."""
        trouble = trouble_of(person)
        return f"{trouble.get_cause_display()}, {trouble.happened_at:%Y-%m-%d}" if trouble else None

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        return [ProfileInline, SupervisorProfileInline] if obj else []

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Flags are for superusers, roles for platform admins, and nobody changes their own rights."""
        who, fixed = actor(request), {"username", "date_joined", "last_login", "mailbox"}
        if not who.is_superuser:
            fixed |= FLAGS | {"groups", "user_permissions"}
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

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 - Django's name
        if not actor(request).is_superuser:
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

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

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        erase_person(obj, by=actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset:
            self.delete_model(request, person)

    @admin.action(description="Suspend selected people", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Suspend whom the rules let the person at the desk suspend; say how many were left out, and why."""
        suspended, refusals = 0, []
        for person in queryset.exclude(status=User.Status.INACTIVE):
            try:
                change_status(person, status=User.Status.INACTIVE, by=actor(request))
                suspended += 1
            except Refused as refusal:
                refusals.append(refusal.message)
        self.message_user(request, f"{suspended} suspended: they are signed out everywhere.")
        if refusals:
            left_out = f"{len(refusals)} left as they were. {' '.join(sorted(set(refusals)))}"
            self.message_user(request, left_out, messages.WARNING)


class DecisionInline(LookOnly, admin.TabularInline):
    """Who decided what about a link's permission."""

    model = JoinPermissionChange
    fields = ["decided_at", "granted", "capacity", "decided_by"]
    readonly_fields = ["decided_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[JoinPermissionChange]:
        return super().get_queryset(request).select_related("decided_by")


class LinkForm(forms.ModelForm):
    """The rule of who may look after whom, told beside the field that breaks it."""

    def clean(self) -> dict[str, Any]:
        sent: dict[str, Any] = super().clean() or {}
        if {"student", "supervisor"} <= set(sent):
            try:
                check_ends(sent["student"], sent["supervisor"])
            except Refused as refusal:
                field = "student" if refusal.field == "studentId" else "supervisor"
                raise forms.ValidationError({field: refusal.message}) from refusal
        return sent


@admin.register(StudentSupervisor)
class LinkAdmin(HouseAdmin):
    """Links people; permission is given by the people themselves, or by an admin, where it is recorded."""

    recorded_by_services = True
    form = LinkForm
    list_display = ["student", "supervisor", "relationship_type", "join_permission_granted", "created_at"]
    list_filter = ["relationship_type", "join_permission_granted"]
    list_select_related = ["student", "supervisor"]
    search_fields = ["student__email", "student__last_name", "supervisor__email", "supervisor__last_name"]
    autocomplete_fields = ["student", "supervisor"]
    decided_elsewhere: ClassVar = [
        *["join_permission_granted", "join_permission_granted_at", "granted_by", "granted_capacity"],
    ]
    date_hierarchy = "created_at"
    inlines: ClassVar = [DecisionInline]

    def get_readonly_fields(self, request: HttpRequest, obj: StudentSupervisor | None = None) -> list[str]:
        """Somebody else at one end is another link: permission was given for these two."""
        return [*self.decided_elsewhere, *(["student", "supervisor"] if obj else [])]

    def save_model(self, request: HttpRequest, obj: StudentSupervisor, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Write by the same services as the API."""
        values = {name: form.cleaned_data[name] for name in form.cleaned_data}
        if change:
            change_link(obj, by=actor(request), values=values, granted=None)
        else:
            obj.pk = link_people(by=actor(request), granted=False, **values).pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: StudentSupervisor) -> None:
        unlink(obj, by=actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[StudentSupervisor]) -> None:
        for link in queryset:
            unlink(link, by=actor(request))


admin.site.unregister(PermissionGroup)


@admin.register(PermissionGroup)
class PermissionGroupAdmin(HouseAdmin, DjangoGroupAdmin):
    """What desks may do at the admin site."""
