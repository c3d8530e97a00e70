"""JSON out: the one renderer, by orjson."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from django.utils.functional import Promise
from rest_framework.renderers import JSONRenderer


def plain(value: Any) -> Any:
    """Say how to write what orjson does not know: lazy strings, string subclasses, mappings."""
    if isinstance(value, Promise | str):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "__iter__"):
        return list(value)
    raise TypeError(type(value).__name__)


class OrjsonRenderer(JSONRenderer):
    """UTF-8 JSON without insignificant white space."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        return orjson.dumps(data, default=plain, option=orjson.OPT_NON_STR_KEYS)
