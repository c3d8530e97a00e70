"""What the pages of the admin site share: who acts, rows to look at, and writes that leave an audit row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeGuard, cast

from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.http import HttpResponseRedirect

from core import audit
from core.admin.library import ModelAdmin
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


class Narrowed(ModelAdmin):
    """A list that is narrowed by its own filters and the columns that are named here, and by no other.

    Django takes any column of a model out of the address, so that ``?text__startswith=a`` would spell
    letter by letter what no page shows.
    """

    narrowed_by: ClassVar[frozenset[str]]

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        named = {each.parameter_name for each in self.list_filter if is_filter(each)}
        known = lookup.partition("__")[0] in self.narrowed_by or lookup in named
        return known and super().lookup_allowed(lookup, value, request)


class HouseAdmin(ModelAdmin):
    """A page whose every write leaves an audit row, and which shows a rule's refusal as a message."""

    recorded_by_services: ClassVar = False

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
        """Show the page, or the same page again with the sentence of the rule that said no."""
        try:
            return view(request, *args, **kwargs)
        except Refused as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


def changed_fields(message: Any) -> list[str]:
    """Return the names of changed fields out of Django's own change message; values it has none."""
    entries = [entry["changed"] for entry in message if "changed" in entry]
    return sorted({str(field) for entry in entries for field in entry.get("fields", [])})


class TakesAlong(HouseAdmin):
    """Whoever may delete a row here may delete what goes with it, even where that is to look at only."""

    def get_deleted_objects(self, objs: QuerySet[Model] | Sequence[Model], request: HttpRequest) -> Any:
        deleted, counts, denied, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, denied & {self.opts.verbose_name}, protected
