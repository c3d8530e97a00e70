"""Tasks that failed for good, as rows of the queue's own table."""

from __future__ import annotations

from typing import Any, ClassVar, Final
from uuid import UUID

from django.db import models
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

NOT_SHOWN: Final = "(not shown)"
STOPPED: Final = ("builtins.SystemExit", "builtins.KeyboardInterrupt")  # another row goes on with it


class DeadLetterManager(models.Manager["DeadLetter"]):
    """Of the queue's rows, those that failed for good: ``count()`` says how many there are."""

    def get_queryset(self) -> models.QuerySet[DeadLetter]:
        failed = super().get_queryset().filter(status=TaskResultStatus.FAILED)
        return failed.exclude(exception_class_path__in=STOPPED)


class DeadLetter(DBTaskResult[Any, Any]):
    """A task that used up its tries, or was abandoned."""

    objects: ClassVar = DeadLetterManager()  # type: ignore[assignment]

    class Meta:
        proxy = True
        verbose_name = "failed task"
        verbose_name_plural = "failed tasks"

    def __str__(self) -> str:
        return self.short_name

    @property
    def short_name(self) -> str:
        return str(self.task_path).rpartition(".")[2]

    @property
    def given(self) -> dict[str, Any]:
        """Return what the task was given: not for eyes."""
        stored = self.args_kwargs.get("kwargs", {})
        return {name: value for name, value in stored.items() if name != "attempt"}

    @property
    def attempts(self) -> int:
        return int(self.args_kwargs.get("kwargs", {}).get("attempt", 1))

    @property
    def fault(self) -> str:
        """Name the kind of the fault; of ``TaskFailed``, of what it stands for."""
        kind: str = self.exception_class_path.rpartition(".")[2]
        last_line: str = self.traceback.strip().rpartition("\n")[2]
        return last_line.rpartition(": ")[2] if kind == "TaskFailed" else kind

    @property
    def shown_arguments(self) -> dict[str, Any]:
        """Return what the task was given as far as anybody may read it: ids."""
        return {name: value if is_id(name, value) else NOT_SHOWN for name, value in self.given.items()}


def is_id(name: str, value: Any) -> bool:
    """Tell an id, or a list of them, from what may be a secret or name a person."""
    if isinstance(value, list):
        return name.endswith("_ids") and all(is_id("_id", item) for item in value)
    if not name.endswith("_id"):
        return False
    return is_number(value) or is_uuid(value)


def is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False
