"""Giving a task that failed for good another try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import SuspiciousOperation
from django.db import transaction

from core import audit
from core.models import DeadLetter
from core.refusals import Refused
from core.tasks import enqueue_on_commit

if TYPE_CHECKING:
    from uuid import UUID

    from users.models import User


class TaskGone(Refused):
    """The program that failed does not have this task any more (400)."""

    code = "task_gone"


@transaction.atomic
def run_again(pk: UUID, *, by: User) -> bool:
    """Enqueue a failed task anew, as its first try, and delete its row: nobody can do so twice.

    Returns False where somebody was faster. Raises TaskGone (400). Holds the row.
    """
    letter = DeadLetter.objects.select_for_update().filter(pk=pk).first()
    if letter is None:
        return False
    try:
        path = letter.task.module_path
    except (ImportError, SuspiciousOperation) as error:
        raise TaskGone(f"There is no task {letter.task_path} any more.") from error
    enqueue_on_commit(path, **letter.given)
    audit.record("task_run_again", actor=by, target=letter, changes={"task": path})
    letter.delete()
    return True
