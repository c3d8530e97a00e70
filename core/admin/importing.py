"""Import and export by spreadsheet at the admin site (django-import-export), by the services of the API.

A preview does what the import will do, row by row, and takes it back: what it shows is what the services say.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpResponseRedirect
from django.urls import reverse
from import_export.admin import ImportExportMixin
from import_export.resources import Diff, ModelResource
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from core.admin.exporting import take_export
from core.admin.house import HouseAdmin, actor
from core.admin.proof import with_fresh_proof
from core.admin.sheets import ID, MOST_BYTES, MOST_ROWS, CsvSheet, ForAWhile, XlsxSheet
from core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse
    from rest_framework.serializers import Serializer

    from users.models import User

SHOWN: Final = 200  # rows of a preview; the template says it too
ID_DIGITS: Final = 18  # what fits the column
HOW: Final = (
    f"CSV in UTF-8, or an Excel workbook: at most {MOST_ROWS:,} rows, {MOST_BYTES // 1024**2} MB. A row "
    "with an id changes what has that id, as an export has it; one without makes a new one. Nothing "
    "is written before you have seen the preview."
)


class SheetForm(ImportForm):  # type: ignore[misc]
    """The file to import."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["import_file"].help_text = HOW

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(f"The file is larger than {MOST_BYTES // 1024**2} MB.")
        return file


class ShownDiff(Diff):  # type: ignore[misc]
    """What a row changes, written out for the rows that a preview shows: the first 200."""

    def __init__(self, resource: Any, instance: Any, new: bool) -> None:  # noqa: FBT001 - the library's
        super().__init__(resource, instance, new)
        resource.looked_at += 1
        self.is_shown = resource.looked_at <= SHOWN

    def as_html(self) -> list[str]:
        return super().as_html() if self.is_shown else []


class ServedResource(ModelResource):  # type: ignore[misc]
    """Rows that serializers of the API read and its services write, one transaction for all of them.

    ``by`` is who acts. A blank cell of a new row is left out; of a row that is there it empties the column,
    save ``kept_when_blank``.
    """

    new_row: ClassVar[type[Serializer[Any]]]
    changed_row: ClassVar[type[Serializer[Any]]]
    kept_when_blank: ClassVar[frozenset[str]] = frozenset()
    empty: ClassVar[dict[str, None]] = {}

    class Meta:
        use_transactions = True

    def __init__(self, *, by: User | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.by: Any = by
        self.looked_at = 0
        # The columns by their names on the wire, by which the API's rules name them.
        self.columns = {wire: str(field.source) for wire, field in self.new_row().fields.items()}

    def get_diff_class(self) -> type[ShownDiff]:
        return ShownDiff

    def get_instance(self, instance_loader: Any, row: Any) -> Any:
        return super().get_instance(instance_loader, row) if row[ID] else None

    def create(self, values: dict[str, Any]) -> Model:
        raise NotImplementedError

    def change(self, instance: Any, values: dict[str, Any]) -> Model:
        raise NotImplementedError

    def cell(self, name: str, text: str, row: Mapping[str, str], instance: Any) -> Any:
        """Return what is sent to the serializer for a cell that is not blank."""
        return text

    def exported(self, value: Any, instance: Any) -> str:
        """Return what a cell says; a moment with its offset (ISO 8601)."""
        if isinstance(value, datetime):
            return value.isoformat(timespec="seconds")
        return "" if value is None else str(value)

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        if row[ID] and not (row[ID].isascii() and row[ID].isdigit() and len(row[ID]) <= ID_DIGITS):
            raise ValidationError({ID: "An id is a whole number, as an export has it."})

    def import_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        """Leave it to ``save_instance``: the serializers of the API say what a cell may hold."""

    def validate_instance(self, *args: Any, **kwargs: Any) -> None:
        """As above."""

    def skip_row(self, *args: Any, **kwargs: Any) -> bool:
        return False

    def save_instance(self, instance: Any, is_create: bool, row: Any, **kwargs: Any) -> None:  # noqa: FBT001 - the library's
        """Write a row as the API would. Raises ValidationError with the reason, by column."""
        if is_create and row[ID]:
            raise ValidationError({ID: "Nothing has this id."})
        values = self.validated(row, instance, is_create=is_create)
        try:
            written = self.create(values) if is_create else self.change(instance, values)
        except Refused as refusal:
            column = self.columns.get(refusal.field or "", NON_FIELD_ERRORS)
            raise ValidationError({column: refusal.message}) from refusal
        vars(instance).update(vars(written))
        if is_create and kwargs.get("dry_run"):
            instance.pk = None  # given back with the preview: the next row to be made gets another

    def validated(self, row: Mapping[str, str], instance: Any, *, is_create: bool) -> dict[str, Any]:
        kind = self.new_row if is_create else self.changed_row
        columns = self.columns
        sent = {
            wire: self.cell(name, row[name], row, instance) if row[name] else self.empty.get(name, "")
            for wire, name in columns.items()
            if name in row and (row[name] or not (is_create or name in self.kept_when_blank))
        }
        reader = kind(data=sent, partial=not is_create)
        if not reader.is_valid():
            faults: dict[str, Any] = reader.errors
            raise ValidationError(
                {
                    columns.get(wire, NON_FIELD_ERRORS): [str(each) for each in told]
                    for wire, told in faults.items()
                }
            )
        return dict(reader.validated_data)

    def after_import(self, *args: Any, **kwargs: Any) -> None:
        """Leave the sequences of ids alone."""

    def export_field(self, field: Any, instance: Any, **kwargs: Any) -> str:
        return self.exported(field.get_value(instance), instance)


class BySheet(ImportExportMixin, HouseAdmin):  # type: ignore[misc]
    """A list that is imported and exported by platform admins. An export stands behind a fresh proof."""

    resource_class: ClassVar[type[ServedResource]]
    formats: ClassVar = [CsvSheet, XlsxSheet]
    import_form_class = SheetForm
    export_form_class = ExportForm
    tmp_storage_class = ForAWhile
    skip_admin_log = True
    import_template_name = "admin/import.html"
    import_export_change_list_template = "admin/sheets.html"

    def get_resource_classes(self, request: HttpRequest) -> Sequence[type[ServedResource]]:
        return [self.resource_class]

    def get_import_formats(self) -> list[Any]:
        columns = list(self.resource_class._meta.fields)  # noqa: SLF001 - documented API
        return [partial(kind, columns=columns) for kind in self.formats]

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        return {"by": actor(request)}

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        """All rows, or none."""
        return {**super().get_import_data_kwargs(**kwargs), "rollback_on_validation_errors": True}

    def has_import_permission(self, request: HttpRequest) -> bool:
        may_write = self.has_add_permission(request) and self.has_change_permission(request)
        return actor(request).is_platform_admin and may_write

    def has_export_permission(self, request: HttpRequest) -> bool:
        return actor(request).is_platform_admin and self.has_view_permission(request)

    def add_data_read_fail_error_to_form(self, form: Any, error: Exception) -> None:
        said = error.message if isinstance(error, Refused) else "The file cannot be read."
        form.add_error("import_file", said)

    def process_import(self, request: HttpRequest, **kwargs: Any) -> Any:
        try:
            return super().process_import(request, **kwargs)
        except Refused as refusal:
            return self.chosen_again(request, refusal.message)

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        if result.has_errors() or result.has_validation_errors():
            said = "Nothing was written: since the preview a row has become wrong. Look at it again."
            return self.chosen_again(request, said)
        answer: HttpResponse = super().process_result(result, request)
        return answer

    def chosen_again(self, request: HttpRequest, said: str) -> HttpResponse:
        self.message_user(request, said, messages.ERROR)
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_import"))

    def export_action(self, request: HttpRequest) -> Any:
        return self.or_refusal(request, with_fresh_proof(super().export_action))

    def get_export_data(self, file_format: Any, request: HttpRequest, queryset: Any, **kwargs: Any) -> Any:
        """Take one of a person's exports, and record it with how many rows it has."""
        take_export(by=actor(request))
        data = super().get_export_data(file_format, request, queryset, **kwargs)
        self.record_export(by=actor(request), rows=queryset.count())
        return data

    def record_export(self, *, by: User, rows: int) -> None:
        """Append the audit row of an export."""
        raise NotImplementedError
