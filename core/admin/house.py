"""What the pages of the admin site share: who acts, rows to look at, and writes that leave an audit row."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, TypeGuard, cast

from django.contrib import messages
from django.contrib.admin import ShowFacets, SimpleListFilter, display
from django.contrib.admin.options import IncorrectLookupParameters
from django.db import router
from django.db.models import DateTimeField
from django.db.models.deletion import Collector
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.timezone import get_current_timezone_name

from core import audit
from core.admin.nonsense import MindsNonsense
from core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, HttpResponse

    from users.models import User


def actor(request: HttpRequest) -> User:
    """Return who sits at the admin site; its gate lets nobody in who is not signed in."""
    return cast("User", request.user)


class LookOnly:
    """Rows that the product alone writes."""

    def has_add_permission(self, *args: Any) -> bool:
        return False

    def has_change_permission(self, *args: Any) -> bool:
        return False

    def has_delete_permission(self, *args: Any) -> bool:
        return False


def is_filter(each: Any) -> TypeGuard[type[SimpleListFilter]]:
    return isinstance(each, type) and issubclass(each, SimpleListFilter)


class Narrowed(MindsNonsense):
    """A list that is narrowed by its filters, its calendar and the columns that are named here alone.

    Django takes any column of a model out of the address, so that ``?text__startswith=a`` would spell
    letter by letter what no page shows.
    """

    narrowed_by: ClassVar[frozenset[str]] = frozenset()
    show_facets = ShowFacets.NEVER  # each choice of each filter would be counted

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        filters: Any = self.list_filter
        named = {each.parameter_name for each in filters if is_filter(each)}
        columns = {column_of(each) for each in filters if not is_filter(each)}
        columns |= self.narrowed_by | {self.date_hierarchy or ""}
        known = lookup in named or lookup.partition("__")[0] in columns
        return known and super().lookup_allowed(lookup, value, request)


def column_of(each: Any) -> str:
    """Return the column of a filter that is named by it, alone or beside the filter's class."""
    return str(each[0] if isinstance(each, (list, tuple)) else each)


class HouseAdmin(Narrowed):
    """A page whose every write leaves an audit row, and which shows a rule's refusal as a message."""

    recorded_by_services: ClassVar = False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Say by which clock a time is read, where the form itself does not."""
        if isinstance(db_field, DateTimeField) and "help_text" not in kwargs:
            clock = f"By the clock of {get_current_timezone_name()}."
            kwargs["help_text"] = f"{db_field.help_text} {clock}".strip()
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def record(self, action: str, request: HttpRequest, obj: Model, **changes: Any) -> None:
        """Append the audit row, where the service that wrote has not."""
        if not self.recorded_by_services:
            audit.record(action, actor=actor(request), target=obj, changes=changes)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self.record("added", request, obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self.record("changed", request, obj, fields=changed_fields(message))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Model]) -> Any:
        for obj in queryset:
            self.record("deleted", request, obj)
        return super().log_deletions(request, queryset)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self.or_refusal(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self.or_refusal(request, super().delete_view, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self.or_refusal(request, super().changelist_view, *args, **kwargs)

    def or_refusal(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show the page, or the same page again with the sentence of the rule that said no.

        Where the address narrows a list by what there is not, show the whole list, which says so.
        """
        try:
            return view(request, *args, **kwargs)
        except IncorrectLookupParameters:
            self.message_user(request, "The list cannot be narrowed so: it is shown whole.", messages.ERROR)
            return HttpResponseRedirect(
                reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
            )
        except Refused as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


def changed_fields(message: Any) -> list[str]:
    """Return the names of changed fields out of Django's own change message; values it has none."""
    entries = [entry["changed"] for entry in message if "changed" in entry]
    return sorted({str(field) for entry in entries for field in entry.get("fields", [])})


class OfAPerson(Narrowed):
    """Rows whose ``user`` is called a person in their list, as ``person``, and on their page."""

    @display(description="person", ordering="user__email")
    def person(self, row: Any) -> str:
        return str(row.user)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Django's
        return super().get_form(request, obj, change, labels={"user": "person"}, **kwargs)


class TakesAlong(HouseAdmin):
    """Whoever may delete a row here may delete what goes with it, even where that is to look at only.

    The page that asks names the rows alone, and counts what goes with them: that may be thousands, and
    other people's. No model of the product protects another from deletion.
    """

    def get_deleted_objects(self, objs: QuerySet[Model] | Sequence[Model], request: HttpRequest) -> Any:
        rows = list(objs)
        may_all = all(self.has_delete_permission(request, row) for row in rows)
        denied = set() if may_all else {str(self.opts.verbose_name)}
        return [str(row) for row in rows], counted_along(rows), denied, []


def counted_along(rows: Sequence[Model]) -> dict[str, int]:
    """Return how many rows of which kind a deletion takes, these included."""
    counts = Counter[str]()
    if rows:
        collector = Collector(using=router.db_for_write(type(rows[0])), origin=rows[0])
        collector.collect(rows)
        for model, found in collector.data.items():
            counts[str(model._meta.verbose_name_plural)] += len(found)  # noqa: SLF001 - documented API
        for others in collector.fast_deletes:
            counts[str(others.model._meta.verbose_name_plural)] += others.count()  # noqa: SLF001 - as above
    return dict(+counts)
