"""Typed readers of the environment. A value that does not parse stops the start, with its name."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from dotenv.parser import parse_stream

TRUE = {"true", "1", "yes", "on"}
FALSE = {"false", "0", "no", "off", ""}
RATES = re.compile(r"[1-9]\d*/[1-9]\d*[smhd](,[1-9]\d*/[1-9]\d*[smhd])*")


def load_env_file(path: Path) -> None:
    """Put the file's variables into the environment; what is set there already wins.

    Raises ImproperlyConfigured with the line number when a line is not ``NAME=value``.
    """
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as stream:
        for binding in parse_stream(stream):
            if binding.error or (binding.key is not None and binding.value is None):
                message = f"{path.name}, line {binding.original.line}: not of the form NAME=value."
                raise ImproperlyConfigured(message)
            if binding.key is not None and binding.value is not None:
                os.environ.setdefault(binding.key, binding.value)


def env(name: str, default: str = "") -> str:
    """Return the trimmed value, or the default where it is unset or blank."""
    return os.environ.get(name, "").strip() or default


def env_bool(name: str, *, default: bool) -> bool:
    """Read true/1/yes/on or false/0/no/off in any case."""
    value = os.environ.get(name)
    if value is None:
        return default
    word = value.strip().lower()
    if word not in TRUE | FALSE:
        message = f"{name} must be true or false, not {value!r}."
        raise ImproperlyConfigured(message)
    return word in TRUE


def env_int(name: str, default: int, *, minimum: int = 0) -> int:
    """Read a whole number of at least ``minimum``."""
    value = env(name, str(default))
    try:
        number = int(value)
    except ValueError:
        message = f"{name} must be a whole number, not {value!r}."
        raise ImproperlyConfigured(message) from None
    if number < minimum:
        message = f"{name} must be at least {minimum}, not {number}."
        raise ImproperlyConfigured(message)
    return number


def env_list(name: str, default: str = "") -> list[str]:
    """Read a comma-separated list; items are trimmed, empty ones dropped."""
    return [item.strip() for item in env(name, default).split(",") if item.strip()]


def env_choice(name: str, default: str, choices: Sequence[str]) -> str:
    """Read one of a few words."""
    value = env(name, default)
    if value not in choices:
        message = f"{name} must be one of {', '.join(choices)}, not {value!r}."
        raise ImproperlyConfigured(message)
    return value


def env_rates(name: str, default: str) -> str:
    """Read budgets such as ``1/30s,5/15m`` (count / number and unit s, m, h, d); empty means none."""
    value = os.environ.get(name, default).replace(" ", "")
    if value and not RATES.fullmatch(value):
        message = f"{name} must look like 1/30s,5/15m or be empty, not {value!r}."
        raise ImproperlyConfigured(message)
    return value


def env_prefixed(prefix: str) -> dict[str, str]:
    """Return every set variable of that prefix, without the prefix."""
    return {name.removeprefix(prefix): value for name, value in os.environ.items() if name.startswith(prefix)}
