"""The time zones that can be chosen. Asks for no settings: these are read with it."""

from functools import lru_cache
from typing import Final
from zoneinfo import available_timezones

# Files beside the zones: the machine's own zone, and one for a machine without any.
NO_ZONES: Final = {"localtime", "Factory"}


@lru_cache
def zones() -> frozenset[str]:
    """Return their IANA names, which are read from hundreds of files."""
    return frozenset(available_timezones() - NO_ZONES)
