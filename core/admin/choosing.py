"""Fields in which a row is chosen by searching for it: whatever one is sent, its page is shown again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError

if TYPE_CHECKING:
    Base = BaseModelAdmin[Any]
else:
    Base = BaseModelAdmin


def keys_of(field: Any, sent: list[Any]) -> list[Any]:
    """Return what can be a key of the table to which a field leads; Django looks up whatever was sent."""
    pk, found = field.remote_field.model._meta.pk, []  # noqa: SLF001 - documented API
    for each in sent:
        try:
            pk.clean(each, None)
        except ValidationError:
            continue
        found.append(each)
    return found


class ChosenByKey(AutocompleteSelect):
    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, keys_of(self.field, value), attr)


class SeveralChosenByKey(AutocompleteSelectMultiple):
    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Leave out what is no key: SQLite fails where one is beyond its numbers."""
        return keys_of(self.field, super().value_from_datadict(data, files, name) or [])

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, keys_of(self.field, value), attr)


class ChoosesByKey(Base):
    """A form with such fields: those that ``autocomplete_fields`` names."""

    def formfield_for_foreignkey(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", ChosenByKey(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", SeveralChosenByKey(db_field, self.admin_site))
        return super().formfield_for_manytomany(db_field, request, **kwargs)
