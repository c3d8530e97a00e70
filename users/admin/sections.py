"""The parts of a person's page: their account, and the rows beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from core.admin import LookOnly, actor
from core.admin.inlines import PagedInline
from core.admin.library import StackedInline, TextInput, UserChangeForm
from users.addresses import normalise
from users.models import StudentSupervisor, SupervisorProfile, User, UserProfile
from users.services.accounts import SYNCED

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class NamesAndAddress(forms.ModelForm):
    """One spelling of the address, and names short enough for the profile, to which they are copied."""

    first_name = forms.CharField(max_length=100, required=False, widget=TextInput)
    last_name = forms.CharField(max_length=100, required=False, widget=TextInput)

    class Meta:
        help_texts: ClassVar = {
            "email": "People sign in by it. A new one signs the person out everywhere.",
            "role": "What the person is in the programme. A new one signs the person out everywhere.",
            "track": "The part of the programme, such as AUS-NSW; blank or global is every one.",
            "username": "The address, unless that is too long for it or somebody else's.",
            "is_active": "Off: the person cannot sign in at all. To suspend somebody, set the status above.",
            "is_staff": "May use this admin site, for whatever permissions they have below.",
            "is_superuser": "May do everything, without a permission.",
            "groups": "What whoever sits at these desks may do at this site.",
            "user_permissions": "What this person may do beside that.",
        }

    def clean_email(self) -> str:
        return normalise(self.cleaned_data["email"])


class PersonForm(NamesAndAddress, UserChangeForm):
    """An existing account."""


class ProfileInline(StackedInline):
    """What a person says about themselves; their names stand with the account."""

    model = UserProfile
    verbose_name = "profile"
    exclude = SYNCED
    readonly_fields = ["areas_of_interest", "controlled_interests"]
    can_delete = False
    tab = True
    hide_title = True


class SupervisorProfileInline(StackedInline):
    """What we know of an adult."""

    model = SupervisorProfile
    can_delete = False
    tab = True
    hide_title = True

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """A check is verified by platform admins, here as over the API."""
        return [] if actor(request).is_platform_admin else ["wwcc_verified"]


class LinkInline(LookOnly, PagedInline):
    """Links of a person; each is changed on its own page."""

    model = StudentSupervisor
    readonly_fields = ["link"]
    extra = 0
    tab = True
    hide_title = True
    other: ClassVar[str]

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> list[Any]:
        return [self.other, "relationship_type", "join_permission_granted", "granted_capacity", "link"]

    @admin.display(description="its page")
    def link(self, link: StudentSupervisor) -> str:
        url = reverse("admin:users_studentsupervisor_change", args=[link.pk])
        return format_html('<a href="{}">Open</a>', url)

    def get_queryset(self, request: HttpRequest) -> QuerySet[StudentSupervisor]:
        return super().get_queryset(request).select_related("student", "supervisor")


class SupervisorsInline(LinkInline):
    """Who looks after a student."""

    fk_name = "student"
    other = "supervisor"
    verbose_name_plural = "supervisors"


class StudentsInline(LinkInline):
    """After whom an adult looks."""

    fk_name = "supervisor"
    other = "student"
    verbose_name_plural = "students"
