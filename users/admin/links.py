"""Who looks after whom, at the admin site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin

from core.admin import LookOnly, TakesAlong, actor
from core.admin.confirming import NAMED, chosen
from core.admin.inlines import PagedInline
from core.refusals import Refused
from users.access import check_ends
from users.models import JoinPermissionChange, StudentSupervisor
from users.services.links import change_link, link_people, unlink

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class DecisionInline(LookOnly, PagedInline):
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
class LinkAdmin(TakesAlong):
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
        for link in chosen(queryset):
            unlink(link, by=actor(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name some, and count them all with what was decided about them. Raises TooManyChosen (400)."""
        named, *others = super().get_deleted_objects(chosen(objs), request)
        more = len(named) - NAMED
        return [*named[:NAMED], *([f"and {more} more"] if more > 0 else [])], *others
