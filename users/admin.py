"""People at the admin site. What changes somebody's rights follows the same rules as at every door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.core.exceptions import PermissionDenied
from django.db import transaction

from core import audit
from core.admin import LookOnly, TakesAlong, actor
from users.addresses import normalise
from users.models import JoinPermissionChange, StudentSupervisor, SupervisorProfile, User, UserProfile
from users.services.accounts import SYNCED, change_status, end_access, free_username, update_account

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

FLAGS = {"is_staff", "is_superuser"}
RIGHTS = FLAGS | {"email", "role", "status", "is_active"}


def may_change(who: User, person: User) -> bool:
    """Tell whether somebody at the admin site may touch that account: nobody reaches above themselves."""
    if who.is_superuser or who == person:
        return True
    return not (person.is_superuser or person.is_staff or person.is_platform_admin)


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


@admin.register(User)
class UserAdmin(TakesAlong, DjangoUserAdmin):
    """Signs people up by their address alone: nobody but staff has a password."""

    form = PersonForm
    add_form = NamesAndAddress
    fieldsets = (
        (None, {"fields": ["email", "username", "password", "first_name", "last_name"]}),
        ("Programme", {"fields": ["role", "track", "status"]}),
        ("Rights", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Dates", {"fields": ["date_joined", "last_login"]}),
    )
    add_fieldsets = ((None, {"fields": ["email", "first_name", "last_name", "role", "track", "status"]}),)
    list_display = ["email", "username", "role", "track", "status", "is_staff", "date_joined"]
    list_filter = ["role", "status", "track", "is_staff", "is_superuser"]
    search_fields = ["email", "first_name", "last_name"]
    ordering = ["email"]
    date_hierarchy = "date_joined"
    actions = ["suspend"]

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        return [ProfileInline, SupervisorProfileInline] if obj else []

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Flags are for superusers, roles for platform admins, and nobody changes their own rights."""
        who, fixed = actor(request), {"username", "date_joined", "last_login"}
        if not who.is_superuser:
            fixed |= FLAGS | {"groups", "user_permissions"}
        if not who.is_platform_admin:
            fixed |= {"role"}
        return sorted(fixed | RIGHTS if obj == who else fixed)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or may_change(actor(request), obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        who = actor(request)
        return allowed and (obj is None or (obj != who and may_change(who, obj)))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 - Django's name
        if not actor(request).is_superuser:
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Runs in the page's transaction, as do the two below."""
        before = User.objects.filter(pk=obj.pk).values(*RIGHTS).first()
        if before is None:
            obj.set_unusable_password()
        if before is None or before["email"] != obj.email:
            obj.username = free_username(obj.email)
        super().save_model(request, obj, form, change)
        if before is None:
            audit.record("user_created", actor=actor(request), target=obj)
        elif changes := audit.difference(before, {name: getattr(obj, name) for name in RIGHTS}):
            audit.record("user_changed", actor=actor(request), target=obj, changes=changes)
            # A pending person who becomes active stays signed in; every other change ends what they hold.
            if not obj.may_enter or set(changes) - {"status", "is_active"}:
                end_access(obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        super().save_related(request, form, formsets, change)
        if not change or set(SYNCED) & set(form.changed_data):
            update_account(form.instance, profile={name: form.cleaned_data[name] for name in SYNCED})

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: User) -> None:
        end_access(obj)
        audit.record("user_deleted", actor=actor(request), target=obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset:
            self.delete_model(request, person)

    @admin.action(description="Suspend selected people", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Suspend whom the person at the desk may change; never themselves."""
        who = actor(request)
        chosen = list(queryset.exclude(status=User.Status.INACTIVE))
        suspended = [person for person in chosen if person != who and may_change(who, person)]
        for person in suspended:
            change_status(person, status=User.Status.INACTIVE, by=who)
        self.message_user(request, f"{len(suspended)} suspended: they are signed out everywhere.")
        if left_out := len(chosen) - len(suspended):
            self.message_user(
                request, f"{left_out} left as they were: not yours to suspend.", messages.WARNING
            )


class DecisionInline(LookOnly, admin.TabularInline):
    """Who decided what about a link's permission."""

    model = JoinPermissionChange
    fields = ["decided_at", "granted", "capacity", "decided_by"]
    readonly_fields = ["decided_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[JoinPermissionChange]:
        return super().get_queryset(request).select_related("decided_by")


@admin.register(StudentSupervisor)
class LinkAdmin(admin.ModelAdmin):
    """Links people; permission is given by the people themselves, or by an admin, where it is recorded."""

    list_display = ["student", "supervisor", "relationship_type", "join_permission_granted", "created_at"]
    list_filter = ["relationship_type", "join_permission_granted"]
    list_select_related = ["student", "supervisor"]
    search_fields = ["student__email", "student__last_name", "supervisor__email", "supervisor__last_name"]
    autocomplete_fields = ["student", "supervisor"]
    readonly_fields = [
        "join_permission_granted",
        "join_permission_granted_at",
        "granted_by",
        "granted_capacity",
    ]
    date_hierarchy = "created_at"
    inlines: ClassVar = [DecisionInline]
