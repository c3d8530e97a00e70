"""What the pages of an import show: the form, the rows with what became of each, how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q
from django.urls import reverse

from core.admin.confirming import NAMED, Question
from core.admin.library import CheckboxInput, ClearableFileInput
from core.admin.progress import Progress
from users.models import ImportRow, PeopleImport
from users.services.import_preview import shown_rows
from users.spreadsheets.reading import MAX_BYTES, MAX_ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from users.services.import_preview import ShownRow

ROWS_A_PAGE: Final = 50
State, Outcome = PeopleImport.State, ImportRow.Outcome
# What rows can be narrowed to: the word in the address, what it is called, which rows.
CHOICES: Final[dict[str, tuple[str, Q]]] = {
    "all": ("All rows", Q()),
    "create": ("New", Q(outcome=Outcome.CREATE)),
    "update": ("Changed", Q(outcome=Outcome.UPDATE)),
    "unchanged": ("Unchanged", Q(outcome=Outcome.UNCHANGED)),
    "rejected": ("Rejected", Q(outcome=Outcome.REJECTED)),
    "remarked": ("With a remark", Q(remark_count__gt=0)),
    "kept": ("Not undone", Q(state=ImportRow.State.KEPT)),
}
ALWAYS: Final = ("all", "create", "update", "unchanged", "rejected")
COLOURS: Final = {
    Outcome.CREATE: "success",
    Outcome.UPDATE: "info",
    Outcome.UNCHANGED: "",
    Outcome.REJECTED: "danger",
}


class UploadForm(forms.Form):
    """A spreadsheet, and what it may change of people who exist."""

    file = forms.FileField(
        max_length=255,
        allow_empty_file=True,
        widget=ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
        help_text=f"CSV in UTF-8, at most {MAX_BYTES // 1024**2} MB and {MAX_ROWS:,} people.",
    )
    change_role = forms.BooleanField(
        required=False,
        label="Change roles",
        widget=CheckboxInput,
        help_text="The column role may change people who exist. They are signed out.",
    )
    change_status = forms.BooleanField(
        required=False,
        label="Change statuses",
        widget=CheckboxInput,
        help_text="The column status may activate or suspend people who exist. They are told.",
    )
    change_address = forms.BooleanField(
        required=False,
        label="Change addresses",
        widget=CheckboxInput,
        help_text="The column newEmail may give people who exist another address.",
    )


def progress_of(batch: PeopleImport) -> Progress | None:
    """Return how far an import is written or undone; None while neither is under way."""
    waiting, written, undone, kept = (
        batch.counts.get(name, 0) for name in ("waiting", "written", "undone", "kept")
    )
    if batch.state == State.COMMITTING:
        says, done, total = "Rows written", written, written + waiting
    elif batch.state == State.UNDOING:
        says, done, total = "Rows undone", undone + kept, written + undone + kept
    else:
        return None
    return Progress(says=says, done=done, total=total, is_under_way=batch.may_go_on)


def page_context(batch: PeopleImport, query: Mapping[str, str]) -> dict[str, Any]:
    """Return what the page of an import shows: two queries, however many rows it has."""
    chosen = query.get("rows", "")
    chosen = chosen if chosen in CHOICES else "all"
    rows = batch.rows.filter(CHOICES[chosen][1]).in_file_order()
    page = Paginator(rows, ROWS_A_PAGE).get_page(query.get("page"))
    progress = progress_of(batch)
    return {
        "batch": batch,
        "sheet": batch.said_of_sheet(),
        "counts": batch.counts,
        "to_import": batch.counts.get("waiting", 0) if batch.state == State.CHECKED else 0,
        "may_commit": batch.state == State.CHECKED and batch.may_begin,
        "may_undo": batch.state == State.COMMITTED and batch.may_begin,
        "may_restart": batch.state in {State.COMMITTING, State.UNDOING} and batch.may_begin,
        "progress": progress,
        "refresh_seconds": progress.refresh_seconds if progress else 0,
        "chosen": chosen,
        "choices": choices_of(batch),
        "page": page,
        "rows": [(row, Outcome(row.outcome), COLOURS[Outcome(row.outcome)]) for row in shown(batch, page)],
    }


def shown(batch: PeopleImport, page: Any) -> list[ShownRow]:
    return shown_rows(batch, page.object_list)


def choices_of(batch: PeopleImport) -> list[tuple[str, str, int | None]]:
    """Return what rows can be narrowed to, with how many there are where that is counted."""
    numbers: dict[str, int | None] = {**batch.counts, "all": batch.counts.get("total", 0), "remarked": None}
    is_there = {
        "remarked": batch.counts.get("remarks", 0) > 0,
        "kept": batch.counts.get("kept", 0) > 0,
    }
    return [
        (word, label, numbers.get(word, 0))
        for word, (label, _) in CHOICES.items()
        if word in ALWAYS or is_there[word]
    ]


def undoing(batch: PeopleImport) -> Question:
    """Say what an undo takes back."""
    rows = shown_rows(batch, batch.rows.to_undo().in_file_order()[:NAMED])
    counts = batch.counts
    return Question(
        title=f"Undo {batch}",
        says=f"Added: {counts.get('create', 0)}. They are erased, where nobody has used or changed them. "
        f"Changed: {counts.get('update', 0)}. They are changed back, where they are still as it wrote them. "
        "What stays is told afterwards, row by row.",
        verb="Undo",
        rows=[f"{row.name} ({row.address})" if row.name else row.address for row in rows],
        noun=("row", "rows"),
        total=counts.get("written", 0),
        back=reverse("admin:users_peopleimport_change", args=[batch.pk]),
        is_grave=True,
    )
