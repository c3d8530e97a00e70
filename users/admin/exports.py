"""People as CSV from the list, with the filters of the list: the same export as over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone

from core.admin import HouseAdmin, actor
from core.admin.exporting import export_or_back
from core.admin.proof import with_fresh_proof
from core.spreadsheets import CsvResponse
from users.models import PeopleImport
from users.services.export import export_people

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase
    from django.urls import URLPattern

    from users.models import User

# The list's own words for what the API calls its filters.
NAMES: Final = {"role__exact": "role", "status__exact": "status", "track": "track", "q": "search"}
NO_FILTERS: Final = frozenset({"o", "p", "all", "e"})


class ExportsPeople(HouseAdmin):
    """Platform admins take people away, as over the API; here after a fresh proof."""

    list_before_template: ClassVar = "admin/users/user/above_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name="users_user_export"), *super().get_urls()]

    def has_export_permission(self, request: HttpRequest) -> bool:
        return actor(request).is_platform_admin and self.has_view_permission(request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        may_import = self.admin_site.get_model_admin(PeopleImport).has_add_permission(request)
        told = {"may_export": self.has_export_permission(request), "may_import": may_import}
        return super().changelist_view(request, {**(extra_context or {}), **told})

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_export_permission(request):
            raise PermissionDenied
        return self.export_listed(request)

    @with_fresh_proof
    def export_listed(self, request: HttpRequest) -> HttpResponseBase:
        """Stream everybody whom the list would show on all of its pages."""
        try:
            people = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{reverse('admin:users_user_changelist')}?e=1")
        return self.export(request, people, asked=asked_for(request.GET))

    @admin.action(description="Export selected people as CSV", permissions=["export"])
    @with_fresh_proof
    def export_chosen(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponseBase:
        return self.export(request, queryset, asked={**asked_for(request.GET), "chosen": "yes"})

    def export(
        self, request: HttpRequest, people: QuerySet[User], *, asked: Mapping[str, str]
    ) -> HttpResponseBase:
        """Answer with the file, or with the list again where the budget is used up."""
        filename = f"users-export-{timezone.now():%Y%m%d-%H%M%S}.csv"
        back = f"{reverse('admin:users_user_changelist')}?{request.GET.urlencode()}"

        def make() -> CsvResponse:
            return CsvResponse(filename, export_people(people, by=actor(request), asked=asked))

        return export_or_back(self, request, make, back=back)


def asked_for(query: Mapping[str, str]) -> dict[str, str]:
    """Return what a list was narrowed by, in the words of the record of an export."""
    named = {NAMES[name]: query[name] for name in query if name in NAMES}
    others = [name for name in query if name not in NAMES and name not in NO_FILTERS]
    return {**named, "others": "yes"} if others else named
