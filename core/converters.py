"""Path ids: positive integers that fit a bigint; anything else is no route, hence a 404."""

from __future__ import annotations

from typing import Final

from django.urls import register_converter


class IdConverter:
    """``<id:pk>``: 1 to 2**63 - 1, in ASCII digits."""

    regex = "[0-9]{1,19}"
    LARGEST: Final = 2**63 - 1

    def to_python(self, value: str) -> int:
        number = int(value)
        if not 0 < number <= self.LARGEST:
            raise ValueError
        return number

    def to_url(self, value: int | str) -> str:
        return str(value)


register_converter(IdConverter, "id")
