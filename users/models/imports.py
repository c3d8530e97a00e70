"""Spreadsheets of people on their way in: what was found in the file, and what became of each row."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.utils import timezone

from users.models.people import User

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self


class PeopleImport(models.Model):
    """One spreadsheet: checked, then on request written row by row, then undoable for a day."""

    class State(models.TextChoices):
        CHECKED = "checked", "Checked: nothing written yet"
        COMMITTING = "committing", "Being written"
        COMMITTED = "committed", "Written"
        UNDOING = "undoing", "Being undone"
        UNDONE = "undone", "Undone"

    KEEP_ROWS: ClassVar = timedelta(hours=24)

    filename = models.CharField(max_length=255)
    state = models.CharField(max_length=20, choices=State, default=State.CHECKED)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    committed_at = models.DateTimeField(null=True, help_text="When the last row was written.")
    change_role = models.BooleanField(default=False, help_text="May change the role of people who exist.")
    change_status = models.BooleanField(default=False, help_text="May change the status of people who exist.")
    change_address = models.BooleanField(
        default=False, help_text="May change the address of people who exist."
    )
    header: models.JSONField[list[str], list[str]] = models.JSONField(
        default=list, help_text="As the file has it."
    )
    ignored_columns: models.JSONField[list[str], list[str]] = models.JSONField(default=list)

    class Meta:
        db_table = "people_imports"
        ordering = ["-created_at", "-id"]
        indexes: ClassVar = [models.Index(fields=["-created_at", "-id"], name="import_newest_first")]

    def __str__(self) -> str:
        return f"Import {self.pk}"

    @property
    def rows_kept_until(self) -> datetime:
        """Until when it can be committed or undone: its rows are personal, and are deleted then."""
        return (self.committed_at or self.created_at) + self.KEEP_ROWS


class ImportRowQuerySet(models.QuerySet["ImportRow"]):
    """Questions about many rows."""

    def in_file_order(self) -> Self:
        return self.order_by("line", "id")


class ImportRow(models.Model):
    """One row of a spreadsheet. What it says of a person is sealed, and lives no longer than a day or so."""

    class Outcome(models.TextChoices):
        CREATE = "create", "Makes an account"
        UPDATE = "update", "Changes an account"
        UNCHANGED = "unchanged", "Says what is stored already"
        REJECTED = "rejected", "Cannot be taken"

    class State(models.TextChoices):
        WAITING = "waiting", "Not written"
        WRITTEN = "written", "Written"
        UNDONE = "undone", "Undone"
        KEPT = "kept", "Not undone: changed or used since"

    batch = models.ForeignKey(PeopleImport, models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField(help_text="Where it begins in the file; the header is on line 1.")
    outcome = models.CharField(max_length=20, choices=Outcome)
    state = models.CharField(max_length=20, choices=State, default=State.WAITING)
    address_key = models.CharField(max_length=32, blank=True, help_text="A digest of the address.")
    person = models.ForeignKey(
        User, models.CASCADE, null=True, related_name="import_rows", help_text="Whom it made or changed."
    )
    content = models.TextField(help_text="Sealed: the cells, faults and remarks.")
    before = models.TextField(blank=True, help_text="Sealed: what it replaced.")

    objects = ImportRowQuerySet.as_manager()

    class Meta:
        db_table = "people_import_rows"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "line"], name="import_row_once_per_line")
        ]
        indexes: ClassVar = [
            models.Index(fields=["batch", "state", "line"], name="import_row_by_state"),
            models.Index(fields=["batch", "outcome", "line"], name="import_row_by_outcome"),
            models.Index(fields=["address_key"], name="import_row_by_address"),
        ]

    def __str__(self) -> str:
        return f"Line {self.line} of import {self.batch_id}"
