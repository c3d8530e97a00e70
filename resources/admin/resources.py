"""Resources at the admin site: by the same services, and so by the same rules for files, as over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html

from core import audit
from core.admin import TakesAlong, actor
from core.admin.covers import CoverAdmin, CoverForm
from core.admin.importing import BySheet
from core.admin.library import ClearableFileInput
from core.refusals import Refused
from core.uploads.policy import check_upload
from resources.admin.sheets import ResourceSheet
from resources.models import Resource
from resources.serializers import ResourceSerializer
from resources.services.publishing import change_resource, delete_resource, publish_resource

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from users.models import User

WRITTEN: Final = ["title", "description", "type", "role"]


class ResourceForm(CoverForm):
    """A resource and its file, which a change may leave as it is."""

    file = forms.FileField(
        widget=ClearableFileInput, help_text="Replaces the file before it, whose links end."
    )

    class Meta:
        model = Resource
        fields: ClassVar = WRITTEN

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "file" in self.fields:
            self.fields["file"].required = False

    def clean_file(self) -> Any:
        """Say at the field what is wrong with a file; a scanner is asked when it is stored."""
        file = self.cleaned_data["file"]
        try:
            if file:
                check_upload(file)
        except Refused as refusal:
            raise forms.ValidationError(refusal.message) from refusal
        return file


@admin.register(Resource)
class ResourceAdmin(BySheet, CoverAdmin, TakesAlong):
    form = ResourceForm
    recorded_by_services = True
    resource_class = ResourceSheet
    list_display = ["title", "type", "role", "file_link", "cover_link", "download_count", "created_at"]
    list_filter = ["type", "role"]
    search_fields = ["title", "description"]
    readonly_fields = ["file_link", "cover_link", "download_count", "created_at", "updated_at"]
    fields: ClassVar = [*WRITTEN, "file", "file_link", "cover", "current_cover", *readonly_fields[1:]]
    date_hierarchy = "created_at"

    @admin.display(description="file")
    def file_link(self, resource: Resource) -> str:
        return link("url", resource) if resource.pk else self.get_empty_value_display()

    @admin.display(description="cover")
    def cover_link(self, resource: Resource) -> str:
        return link("coverImage", resource) if resource.cover_image else self.get_empty_value_display()

    def get_urls(self) -> list[Any]:
        follow = self.admin_site.admin_view(self.follow)
        return [path("<id:pk>/open/<str:what>/", follow, name="resources_resource_open"), *super().get_urls()]

    def follow(self, request: HttpRequest, pk: int, what: str) -> HttpResponseRedirect:
        """Lead to the file (``url``) or the cover (``coverImage``), by a link for whoever sits here."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        resource = get_object_or_404(Resource.objects.with_file(), pk=pk)
        address = ResourceSerializer(resource, context={"request": request}).data.get(what)
        if what not in {"url", "coverImage"} or not address:
            raise Http404
        return HttpResponseRedirect(address)

    def save_model(self, request: HttpRequest, obj: Resource, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        by, file = actor(request), form.cleaned_data.get("file")
        if change:
            values = {name: form.cleaned_data[name] for name in form.changed_data if name in WRITTEN}
            change_resource(obj, by=by, values=values, file=file)
        else:
            written = {name: form.cleaned_data[name] for name in WRITTEN}
            obj.pk = publish_resource(by=by, file=file, values=written).pk
        self.save_cover(request, obj, form)
        obj.refresh_from_db()

    def record_export(self, *, by: User, rows: int) -> None:
        audit.record("resources_exported", actor=by, changes={"rows": rows})

    def delete_model(self, request: HttpRequest, obj: Resource) -> None:
        delete_resource(obj, by=actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Resource]) -> None:
        for resource in queryset:
            self.delete_model(request, resource)


def link(what: str, resource: Resource) -> str:
    address = reverse("admin:resources_resource_open", args=[resource.pk, what])
    return format_html('<a href="{}">Open</a>', address)
