"""Rows of a spreadsheet as the API takes them: its serializers read them, and its services write.

A preview does what the import will do and takes it back, a few rows at a time: what it shows is what the
services say, and nobody waits for it longer than those few rows take.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

import tablib
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.html import format_html
from import_export.resources import Diff, ModelResource
from import_export.results import Result

from core.admin.sheets import ID
from core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import Model
    from rest_framework.serializers import Serializer

    from users.models import User

SHOWN: Final = 200  # rows of a preview; the template says it too
PIECE_ROWS: Final = 25  # of a preview, whose locks are held together
ID_DIGITS: Final = 18  # what fits the column


class ShownDiff(Diff):  # type: ignore[misc]
    """What a row changes, written out for the rows that a preview shows: the first 200."""

    def __init__(self, resource: Any, instance: Any, new: bool) -> None:  # noqa: FBT001 - the library's
        super().__init__(resource, instance, new)
        resource.looked_at += 1
        self.is_shown = resource.looked_at <= SHOWN

    def as_html(self) -> list[str]:
        """Return the columns. Whole values: to compare two long texts by letter may take a second."""
        if not self.is_shown:
            return []
        return [shown(was, is_now, new=self.new) for was, is_now in zip(self.left, self.right, strict=True)]


class NoDiff:
    """Nothing: an import that was confirmed has no page of what it changes."""

    def __init__(self, *args: Any) -> None: ...

    def compare_with(self, *args: Any) -> None: ...

    def as_html(self) -> None: ...


def shown(was: Any, is_now: Any, *, new: bool) -> str:
    """Return what a column becomes, with what it was where that is another thing."""
    if new or was == is_now:
        return format_html("<ins>{}</ins>" if new and is_now else "{}", is_now)
    return format_html("<del>{}</del> <ins>{}</ins>", was, is_now)


class ServedResource(ModelResource):  # type: ignore[misc]
    """Rows that serializers of the API read and its services write, one transaction for all of them.

    A preview has one for every 25 rows. A row that changes nothing is skipped, and holds nobody up. ``by`` is
    who acts. A blank cell of a new row is left out; of a row that is there it empties the column,
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
        self.is_preview = False
        # The columns by their names on the wire, by which the API's rules name them.
        self.columns = {wire: str(field.source) for wire, field in self.new_row().fields.items()}

    def get_diff_class(self) -> type[ShownDiff | NoDiff]:
        return ShownDiff if self.is_preview else NoDiff

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

    def import_data(self, dataset: Any, dry_run: bool = False, **kwargs: Any) -> Result:  # noqa: FBT001, FBT002 - the library's
        """Import all rows or none; a preview piece by piece, and nothing of it stays."""
        self.is_preview = dry_run
        if not dry_run:
            return super().import_data(dataset, dry_run=False, **kwargs)
        whole = Result()
        for start in range(0, len(dataset), PIECE_ROWS):
            rows = [dataset[number] for number in range(start, min(start + PIECE_ROWS, len(dataset)))]
            piece = tablib.Dataset(*rows, headers=dataset.headers)
            add_piece(whole, super().import_data(piece, dry_run=True, **kwargs), after=start)
        return whole

    def import_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        """Read a row by the serializers of the API. Raises ValidationError with the reason, by column."""
        is_create = instance.pk is None
        if is_create and row[ID]:
            raise ValidationError({ID: "Nothing has this id."})
        self.values = self.validated(row, instance, is_create=is_create)

    def validate_instance(self, instance: Any, import_validation_errors: Any = None, **kwargs: Any) -> None:
        """Refuse what ``import_instance`` has refused; there are no other rules."""
        if import_validation_errors:
            raise ValidationError(import_validation_errors)

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        if import_validation_errors or instance.pk is None:
            return False
        return all(vars(instance).get(name) == value for name, value in self.values.items())

    def save_instance(self, instance: Any, is_create: bool, row: Any, **kwargs: Any) -> None:  # noqa: FBT001 - the library's
        """Write a row as the API would. Raises ValidationError with the reason, by column."""
        try:
            written = self.create(self.values) if is_create else self.change(instance, self.values)
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


def add_piece(whole: Result, piece: Result, *, after: int) -> None:
    """Add what became of some rows; ``after`` so many others, by which the faulty ones are numbered."""
    for faulty in (*piece.invalid_rows, *piece.error_rows):
        faulty.number += after
    whole.diff_headers = piece.diff_headers
    whole.total_rows += piece.total_rows
    for kept, added in (
        (whole.base_errors, piece.base_errors),
        (whole.rows, piece.rows),
        (whole.invalid_rows, piece.invalid_rows),
        (whole.error_rows, piece.error_rows),
    ):
        kept.extend(added)
    for kind, count in piece.totals.items():
        whole.totals[kind] += count
