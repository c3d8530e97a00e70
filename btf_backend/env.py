"""Typed readers of the environment. A value that does not parse stops the start, with its name."""

import os
import re
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from dotenv.parser import parse_stream

from core.zones import zones

TRUE = {"true", "1", "yes", "on"}
FALSE = {"false", "0", "no", "off"}
RATES = re.compile(r"[1-9]\d{0,5}/[1-9]\d{0,5}[smhd](,[1-9]\d{0,5}/[1-9]\d{0,5}[smhd])*")
COLOUR = re.compile(r"#[0-9a-f]{6}")
LARGEST = 2**40


def load_env_file(path: Path) -> None:
    """Put the file's variables into the environment; what is set there already wins.

    Raises ImproperlyConfigured with the line number when a line is not ``NAME=value``.
    """
    if not path.is_file():
        return
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ImproperlyConfigured(f"{path.name} is not a text in UTF-8.") from error
    for binding in parse_stream(StringIO(text)):
        broken = binding.error or (binding.key is not None and binding.value is None)
        if broken or "\0" in binding.original.string:
            message = f"{path.name}, line {binding.original.line}: not of the form NAME=value."
            raise ImproperlyConfigured(message)
        if binding.key is not None and binding.value is not None:
            os.environ.setdefault(binding.key, binding.value)


def env(name: str, default: str = "") -> str:
    """Return the trimmed value, or the default where it is unset or blank."""
    return os.environ.get(name, "").strip() or default


def env_bool(name: str, *, default: bool) -> bool:
    """Read true/1/yes/on or false/0/no/off in any case."""
    value = env(name)
    if not value:
        return default
    word = value.lower()
    if word not in TRUE | FALSE:
        message = f"{name} must be true or false, not {value!r}."
        raise ImproperlyConfigured(message)
    return word in TRUE


def env_int(name: str, default: int, *, minimum: int = 0, maximum: int = LARGEST) -> int:
    """Read a whole number from ``minimum`` to ``maximum``."""
    value = env(name, str(default))
    try:
        number = int(value)
    except ValueError:
        message = f"{name} must be a whole number, not {value!r}."
        raise ImproperlyConfigured(message) from None
    if not minimum <= number <= maximum:
        message = f"{name} must be {minimum} to {maximum}, not {number}."
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


def env_colour(name: str, default: str) -> str:
    """Read a colour of the form #rrggbb."""
    value = env(name, default).lower()
    if not COLOUR.fullmatch(value):
        message = f"{name} must look like {default}, not {value!r}."
        raise ImproperlyConfigured(message)
    return value


def env_zone(name: str, default: str) -> str:
    """Read the name of a time zone, such as Australia/Sydney."""
    value = env(name, default)
    if value not in zones():
        message = f"{name} must be an IANA time zone such as Australia/Sydney, not {value!r}."
        raise ImproperlyConfigured(message)
    return value


def env_redis(name: str, default: str = "") -> str:
    """Read the URL of a Redis server."""
    value = env(name, default)
    if value and not value.startswith(("redis://", "rediss://", "unix://")):
        message = f"{name} must look like redis://host:6379/1."
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
