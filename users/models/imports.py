"""Spreadsheets of people on their way in: what was found in the file, and what became of each row."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from core.sealing import Unreadable, seal, unseal
from users.models.people import User

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self


class PeopleImportQuerySet(models.QuerySet["PeopleImport"]):
    """Questions about many imports."""

    def ended_before(self, moment: datetime) -> Self:
        """Imports written before a moment, or where they never were, checked before it."""
        return self.alias(ended=Coalesce("committed_at", "created_at")).filter(ended__lt=moment)

    def with_rejected_rows(self) -> Self:
        """Imports with rows that could not be taken, as long as those can be fetched and mended."""
        begun = timezone.now() - PeopleImport.KEEP_ROWS
        kept = self.alias(ended=Coalesce("committed_at", "created_at")).filter(ended__gt=begun)
        state = PeopleImport.State
        return kept.filter(counts__rejected__gt=0).exclude(state__in=[state.UNDOING, state.UNDONE])


class PeopleImport(models.Model):
    """One spreadsheet: checked, then on request written row by row, then undoable for a day."""

    class State(models.TextChoices):
        CHECKED = "checked", "Checked: nothing written yet"
        COMMITTING = "committing", "Being written"
        COMMITTED = "committed", "Written"
        UNDOING = "undoing", "Being undone"
        UNDONE = "undone", "Undone"

    KEEP_ROWS: ClassVar = timedelta(hours=24)
    # What was begun in time may end: rows are deleted that much later.
    TIME_TO_END: ClassVar = timedelta(hours=1)
    KEEP: ClassVar = timedelta(days=90)
    SEALED_FOR: ClassVar = "people import"

    sheet = models.TextField(
        blank=True,
        help_text="Sealed: the names of the file and of its columns. Blank once its rows are gone.",
    )
    state = models.CharField(max_length=20, choices=State, default=State.CHECKED)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    acted_by = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        related_name="+",
        help_text="Who asked for it to be written or undone.",
    )
    created_at = models.DateTimeField(default=timezone.now)
    committed_at = models.DateTimeField(null=True, help_text="When the last row was written.")
    change_role = models.BooleanField(default=False, help_text="May change the role of people who exist.")
    change_status = models.BooleanField(default=False, help_text="May change the status of people who exist.")
    change_address = models.BooleanField(
        default=False, help_text="May change the address of people who exist."
    )
    counts: models.JSONField[dict[str, int], dict[str, int]] = models.JSONField(
        default=dict, help_text="Of its rows, kept up with each change of them; stays when they go."
    )

    objects = PeopleImportQuerySet.as_manager()

    class Meta:
        db_table = "people_imports"
        verbose_name = "import of people"
        verbose_name_plural = "imports of people"
        ordering = ["-created_at", "-id"]
        indexes: ClassVar = [models.Index(fields=["-created_at", "-id"], name="import_newest_first")]

    def __str__(self) -> str:
        return f"Import {self.pk}"

    def put_sheet(self, *, filename: str, header: list[str], ignored_columns: list[str]) -> None:
        sheet = {"filename": filename, "header": header, "ignored_columns": ignored_columns}
        self.sheet = seal(sheet, purpose=self.SEALED_FOR)

    def said_of_sheet(self) -> dict[str, Any]:
        """Return what ``put_sheet`` was given; nothing once that is gone, or its key lost."""
        try:
            said: dict[str, Any] = unseal(self.sheet, purpose=self.SEALED_FOR)
        except Unreadable:
            return {"filename": "", "header": [], "ignored_columns": []}
        return said

    @property
    def filename(self) -> str:
        return str(self.said_of_sheet()["filename"])

    @property
    def header(self) -> list[str]:
        """As the file has it."""
        return list(self.said_of_sheet()["header"])

    @property
    def ignored_columns(self) -> list[str]:
        return list(self.said_of_sheet()["ignored_columns"])

    @property
    def rows_kept_until(self) -> datetime:
        """Until when it can be committed or undone: its rows are personal, and are deleted then."""
        return (self.committed_at or self.created_at) + self.KEEP_ROWS

    @property
    def may_begin(self) -> bool:
        """Tell whether it can still be committed or undone."""
        return timezone.now() < self.rows_kept_until

    @property
    def may_go_on(self) -> bool:
        """Tell whether what was begun may still be ended."""
        return timezone.now() < self.rows_kept_until + self.TIME_TO_END


class ImportRowQuerySet(models.QuerySet["ImportRow"]):
    """Questions about many rows."""

    def in_file_order(self) -> Self:
        return self.order_by("line", "id")

    def to_write(self) -> Self:
        return self.filter(ImportRow.WORK, state=ImportRow.State.WAITING)

    def to_undo(self) -> Self:
        return self.filter(state=ImportRow.State.WRITTEN)

    def tally(self) -> dict[str, int]:
        """Count rows by what becomes and became of them, with their faults and remarks: one query."""
        outcomes = {each.value: Count("id", filter=Q(outcome=each)) for each in ImportRow.Outcome}
        ended = [each for each in ImportRow.State if each != ImportRow.State.WAITING]
        states = {each.value: Count("id", filter=Q(state=each)) for each in ended}
        return self.aggregate(
            total=Count("id"),
            waiting=Count("id", filter=ImportRow.WORK & Q(state=ImportRow.State.WAITING)),
            faults=Coalesce(Sum("fault_count"), 0),
            remarks=Coalesce(Sum("remark_count"), 0),
            **outcomes,
            **states,
        )


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
    line = models.PositiveIntegerField(help_text="Where it begins in the file.")
    outcome = models.CharField(max_length=20, choices=Outcome)
    state = models.CharField(max_length=20, choices=State, default=State.WAITING)
    address_key = models.CharField(max_length=32, blank=True, help_text="A digest of the address.")
    person = models.ForeignKey(
        User, models.CASCADE, null=True, related_name="import_rows", help_text="Whom it made or changed."
    )
    content = models.TextField(help_text="Sealed: the cells, faults and remarks.")
    before = models.TextField(blank=True, help_text="Sealed: what it replaced, and by what.")
    fault_count = models.PositiveIntegerField(default=0)
    remark_count = models.PositiveIntegerField(default=0)

    WORK: ClassVar = Q(outcome__in=[Outcome.CREATE, Outcome.UPDATE])
    # An undo is erasing whom the row made.
    TAKEN_BACK: ClassVar = Q(
        outcome=Outcome.CREATE, state=State.UNDONE, batch__state=PeopleImport.State.UNDOING
    )

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


class ErasedAddress(models.Model):
    """The digest of an erased person's address, while an import may still hold the address itself."""

    # From the check to the end of a commit, and from there to the end of an undo.
    KEEP: ClassVar = 2 * (PeopleImport.KEEP_ROWS + PeopleImport.TIME_TO_END)

    address_key = models.CharField(max_length=32, primary_key=True)
    erased_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "erased_addresses"

    def __str__(self) -> str:
        return self.address_key
