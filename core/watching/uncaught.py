"""What nobody caught: logged as any other defect, where Python would write the exception's words (B40)."""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING

from django.db import InterfaceError, OperationalError

if TYPE_CHECKING:
    from types import TracebackType

logger = logging.getLogger(__name__)


def log_what_nobody_caught() -> None:
    """Have the log tell what ends this process, one of its threads, or a finalizer. Safe to repeat."""
    sys.excepthook = of_process
    threading.excepthook = of_thread
    sys.unraisablehook = of_finalizer


def of_process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tell why the process ends. At a terminal, or broken off there, as Python does: somebody looks on."""
    if sys.stderr.isatty() or issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        tell("process_broke", error)


def of_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        tell("thread_broke", args.exc_value)


def of_finalizer(args: sys.UnraisableHookArgs) -> None:
    if args.exc_value is not None:
        tell("finalizer_broke", args.exc_value)


def tell(what: str, error: BaseException) -> None:
    """Log it; a database that is away is no defect: a worker ends by it, and is started again."""
    is_away = isinstance(error, OperationalError | InterfaceError)
    logger.log(logging.WARNING if is_away else logging.CRITICAL, what, exc_info=error)
