"""Spreadsheets of people at the admin site: sent, looked at row by row, written, and taken back for a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from core.admin import HouseAdmin, actor
from core.admin.confirming import ask, is_confirmed
from core.admin.exporting import export_or_back
from core.admin.proof import ask_for_proof, is_fresh, with_fresh_proof
from core.refusals import Refused
from core.spreadsheets import CsvResponse
from users.admin.attention import ImportsNeedFilter
from users.admin.import_pages import UploadForm, page_context, progress_of, undoing
from users.models import PeopleImport
from users.services.import_preview import template_csv
from users.services.imports import check_file, rejected_csv, start_commit, start_undo

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase
    from django.urls import URLPattern


@admin.register(PeopleImport)
class PeopleImportAdmin(HouseAdmin):
    """For platform admins alone, as over the API: a row says of a person whatever the file does."""

    recorded_by_services = True
    list_display = [
        *("created_at", "filename", "created_by", "state"),
        *("rows", "new", "changed", "rejected", "progress"),
    ]
    list_filter = [ImportsNeedFilter, "state"]
    list_select_related = ["created_by"]
    list_before_template: ClassVar = "admin/users/peopleimport/above_list.html"
    date_hierarchy = "created_at"
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return actor(request).is_platform_admin and super().has_add_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return actor(request).is_platform_admin and super().has_view_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="rows")
    def rows(self, batch: PeopleImport) -> int:
        return batch.counts.get("total", 0)

    @admin.display(description="new")
    def new(self, batch: PeopleImport) -> int:
        return batch.counts.get("create", 0)

    @admin.display(description="changed")
    def changed(self, batch: PeopleImport) -> int:
        return batch.counts.get("update", 0)

    @admin.display(description="rejected")
    def rejected(self, batch: PeopleImport) -> int:
        return batch.counts.get("rejected", 0)

    @admin.display(description="progress", empty_value="")
    def progress(self, batch: PeopleImport) -> str | None:
        progress = progress_of(batch)
        return str(progress) if progress else None

    def get_urls(self) -> list[URLPattern]:
        let_in, named = self.admin_site.admin_view, "users_peopleimport"
        return [
            path("template/", let_in(self.template_view), name=f"{named}_template"),
            path("<id:pk>/commit/", let_in(require_POST(self.commit_view)), name=f"{named}_commit"),
            path("<id:pk>/undo/", let_in(self.undo_view), name=f"{named}_undo"),
            path("<id:pk>/rejected/", let_in(self.rejected_view), name=f"{named}_rejected"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        told = {"may_import": self.has_add_permission(request)}
        return super().changelist_view(request, {**(extra_context or {}), **told})

    def template_view(self, request: HttpRequest) -> CsvResponse:
        """Answer with a file that has every column and nobody in it."""
        self.check_may_import(request)
        return CsvResponse("people-template.csv", template_csv())

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """Take a file, and lead to what was found in it."""
        self.check_may_import(request)
        form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
        if form.is_valid():
            flags = dict(form.cleaned_data)
            try:
                batch = check_file(flags.pop("file"), by=actor(request), flags=flags)
            except Refused as refusal:
                form.add_error("file", refusal.message)
            else:
                return self.to_page(batch.pk)
        context = {**self.shared(request), "title": "Import people", "form": form}
        return TemplateResponse(request, "admin/users/peopleimport/upload.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Show an import: before it is written, while it is, and what came of it."""
        batch = self.get_object(request, object_id)
        if not self.has_view_permission(request, batch):
            raise PermissionDenied
        if batch is None:
            raise Http404
        told = page_context(batch, request.GET)
        context = {**self.shared(request), **told, "title": str(batch)}
        return TemplateResponse(request, "admin/users/peopleimport/import.html", context)

    def commit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Begin to write it, or begin again where it stands still, after a fresh proof.

        A file makes admins and gives addresses as a person's page does. What was checked stays.
        """
        self.check_may_import(request)
        if not is_fresh(request):
            return ask_for_proof(request, back=self.address(pk))
        return self.started(request, pk, start_commit)

    @with_fresh_proof
    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then begin to take it back: that erases people."""
        self.check_may_import(request)
        batch = self.batch(pk)
        if is_confirmed(request):
            return self.started(request, pk, start_undo)
        return ask(self, request, undoing(batch))

    def rejected_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self.rejected_rows(request, pk)

    @with_fresh_proof
    def rejected_rows(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Stream the rows that cannot be taken, as over the API; within the budget of exports."""
        batch = self.batch(pk)

        def make() -> CsvResponse:
            return CsvResponse(f"import-{batch.pk}-rejected.csv", rejected_csv(batch, by=actor(request)))

        return export_or_back(self, request, make, back=self.address(pk))

    def started(
        self, request: HttpRequest, pk: int, start: Callable[..., PeopleImport]
    ) -> HttpResponseRedirect:
        try:
            start(pk, by=actor(request))
        except Refused as refusal:
            return self.refused(request, pk, refusal)
        return self.to_page(pk)

    def refused(self, request: HttpRequest, pk: int, refusal: Refused) -> HttpResponseRedirect:
        self.message_user(request, refusal.message, messages.ERROR)
        return self.to_page(pk)

    def to_page(self, pk: int) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.address(pk))

    def address(self, pk: int) -> str:
        return reverse("admin:users_peopleimport_change", args=[pk])

    def batch(self, pk: int) -> PeopleImport:
        return get_object_or_404(PeopleImport, pk=pk)

    def check_may_import(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied

    def shared(self, request: HttpRequest) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "may_import": self.has_add_permission(request),
        }
