"""What schemathesis is told: who calls, at what, and what is written down of each answer."""

from __future__ import annotations

import atexit
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import django

django.setup()

import schemathesis  # noqa: E402 - models need the apps
from callers import Caller  # noqa: E402

if TYPE_CHECKING:
    from schemathesis import Case, HookContext

TALLY: Final = Path(os.environ["FUZZ_TALLY"])
caller = Caller(os.environ["FUZZ_ROLE"], misses_in_ten=3)


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Aim the call, and sign it where it does not bring a token of its own."""
    case.path_parameters = caller.aim.at_path(case.path, case.path_parameters or {})
    if isinstance(case.body, dict):
        case.body = caller.aim.at_fields(case.body)
    if case.query:
        case.query = caller.aim.at_fields(case.query)
    for name, value in caller.headers.items():
        case.headers.setdefault(name, value)


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Any) -> None:
    caller.note(case.operation.label, response.status_code, case.headers.get("Authorization"))


@atexit.register
def write() -> None:
    TALLY.write_text(json.dumps(caller.told()))
