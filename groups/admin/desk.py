"""What the pages of groups share: who writes, how a refusal is shown, and what became of rows that went."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.http import HttpRequest

from core.admin import HouseAdmin, actor
from core.admin.filters import ListedFilter
from core.admin.library import ModelAdmin
from core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import Model, QuerySet
    from django.http import HttpResponse


class RefusedRequest(HttpRequest):
    """A form that a rule has refused once; for type checkers."""

    refusal: Refused


class DeskAdmin(HouseAdmin):
    """Platform admins write; whoever else sits at the admin site may look, where a permission lets them.

    Nothing is deleted here: an action takes it away, and it can be brought back for 30 days.
    """

    recorded_by_services = True
    # The form's field for a field that a refusal names; a refusal of others stands above the form.
    beside: ClassVar[dict[str, str]] = {}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return actor(request).is_platform_admin and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return actor(request).is_platform_admin and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_take_away_permission(self, request: HttpRequest) -> bool:
        return actor(request).is_platform_admin and super().has_delete_permission(request)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        view = partial(ModelAdmin.changeform_view, self)
        return self.or_refusal(request, partial(self.or_form, view), *args, **kwargs)

    def or_form(
        self, view: Callable[..., HttpResponse], request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show the form again as it was filled in where a refusal names a field: nothing was written."""
        try:
            return view(request, *args, **kwargs)
        except Refused as refusal:
            if refusal.field is None:
                raise
            cast("RefusedRequest", request).refusal = refusal
            return view(request, *args, **kwargs)

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, *args, **kwargs)
        refusal: Refused | None = getattr(request, "refusal", None)
        return refused(form, refusal, self.beside.get(refusal.field or "")) if refusal else form


def refused(form: Any, refusal: Refused, field: str | None) -> type[Any]:
    """Return a form that is never valid: it has the refusal beside the field, or above all fields."""

    class RefusedForm(form):  # type: ignore[misc]
        def clean(self) -> Any:
            sent = super().clean()
            self.add_error(field if field in self.fields else None, refusal.message)
            return sent

    return RefusedForm


class GoneFilter(ListedFilter):
    """Hides what is gone, or shows nothing else. ``column`` is null while a row is there."""

    column: ClassVar[str]
    YES: ClassVar = "yes"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(self.YES, "Yes, and can be restored")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": "No"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        there = {self.column: None}
        return queryset.exclude(**there) if self.value() else queryset.filter(**there)


class RestoringAdmin(DeskAdmin):
    """A page of rows that come back: those that are gone are there to look at, and to restore."""

    gone: ClassVar[type[GoneFilter]]
    takes_away: ClassVar[str]

    def everything(self) -> QuerySet[Any]:
        model: Any = self.model
        rows: QuerySet[Any] = model.everything.all()
        return rows

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """What is gone can be looked at here, and chosen nowhere."""
        rows, match = self.everything(), request.resolver_match
        is_choosing = match is not None and match.url_name == "autocomplete"
        return rows.filter(**{self.gone.column: None}) if is_choosing else rows

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_there = obj is None or getattr(obj, self.gone.column) is None
        return is_there and super().has_change_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer to take away what is there, and to restore what is gone."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop(self.takes_away if self.shows_gone(request) else "restore", None)
        return actions

    def shows_gone(self, request: HttpRequest) -> bool:
        """Tell whether the list is narrowed to what is gone."""
        return request.GET.get(self.gone.parameter_name or "") == self.gone.YES
