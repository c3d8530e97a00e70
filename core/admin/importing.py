"""Import and export by spreadsheet at the admin site (django-import-export), by the services of the API."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponseRedirect
from django.urls import reverse
from import_export.admin import ImportExportMixin
from import_export.forms import ConfirmImportForm
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from core.admin.exporting import take_export
from core.admin.house import HouseAdmin, actor
from core.admin.proof import with_fresh_proof
from core.admin.sheets import MOST_BYTES, MOST_ROWS, CsvSheet, ForAWhile, PreviewOver, XlsxSheet
from core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

    from core.admin.served import ServedResource
    from users.models import User

HOW: Final = (
    f"CSV in UTF-8, or an Excel workbook: at most {MOST_ROWS:,} rows, {MOST_BYTES // 1024**2} MB. A row "
    "with an id changes what has that id, as an export has it; one without makes a new one. Nothing "
    "is written before you have seen the preview."
)


class SheetForm(ImportForm):  # type: ignore[misc]
    """The file to import, and who sends it."""

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        self.fields["import_file"].help_text = HOW

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(f"The file is larger than {MOST_BYTES // 1024**2} MB.")
        file.owner = self.by.pk
        return file


class ConfirmedForm(ConfirmImportForm):  # type: ignore[misc]
    """A preview that was confirmed, of the person who has looked at it."""

    original_file_name = forms.CharField(widget=forms.HiddenInput, required=False)
    format = forms.ChoiceField(widget=forms.HiddenInput)
    resource = forms.ChoiceField(widget=forms.HiddenInput, choices=[("0", "")], required=False)

    def __init__(self, *args: Any, by: User, formats: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        choice: Any = self.fields["format"]
        choice.choices = [(str(number), "") for number in range(formats)]

    def clean_import_file_name(self) -> str:
        name = str(self.cleaned_data["import_file_name"])
        if not ForAWhile.kept_by(self.by.pk).fullmatch(name):
            raise forms.ValidationError(PreviewOver.sentence)
        return name


class BySheet(ImportExportMixin, HouseAdmin):  # type: ignore[misc]
    """A list that is imported and exported by platform admins. An export stands behind a fresh proof."""

    resource_class: ClassVar[type[ServedResource]]
    formats: ClassVar = [CsvSheet, XlsxSheet]
    import_form_class = SheetForm
    confirm_form_class = ConfirmedForm
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

    def get_import_form_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().get_import_form_kwargs(request), "by": actor(request)}

    def get_confirm_form_kwargs(self, request: HttpRequest, import_form: Any = None) -> dict[str, Any]:
        told = {"by": actor(request), "formats": len(self.formats)}
        return {**super().get_confirm_form_kwargs(request, import_form), **told}

    def write_to_tmp_storage(self, import_file: Any, input_format: Any) -> ForAWhile:
        kept = ForAWhile(owner=import_file.owner)
        kept.save(import_file.read())
        return kept

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
        may = request.method == "POST" and self.has_import_permission(request)
        if may and not self.create_confirm_form(request).is_valid():
            return self.chosen_again(request, PreviewOver.sentence)
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

    def get_valid_export_item_pks(self, request: HttpRequest) -> Sequence[int]:
        """Offer no single rows: the list has no such action."""
        return []

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
