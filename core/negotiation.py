"""In which form an answer is told."""

from __future__ import annotations

from typing import Any, Final

from rest_framework.negotiation import DefaultContentNegotiation

HEADERS_KEPT: Final = 500
LONGEST_KEPT: Final = 200  # characters


class RememberedNegotiation(DefaultContentNegotiation):
    """Reads each ``Accept`` once (RFC 9110, 12.5.1): clients send the same few, and mean the same by them."""

    known: Final[dict[tuple[Any, ...], tuple[int, str]]] = {}

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        header = request.headers.get("Accept", "*/*")
        is_named = format_suffix or self.settings.URL_FORMAT_OVERRIDE in request.query_params
        if is_named or len(header) > LONGEST_KEPT:
            return super().select_renderer(request, renderers, format_suffix)
        asked = (header, *map(type, renderers))
        kept = self.known.get(asked)
        if kept is not None:
            place, media_type = kept
            return renderers[place], media_type
        renderer, media_type = super().select_renderer(request, renderers)
        if len(self.known) >= HEADERS_KEPT:
            self.known.clear()
        self.known[asked] = renderers.index(renderer), media_type
        return renderer, media_type


class WhateverIsAccepted(DefaultContentNegotiation):
    """For views whose success is no JSON: answers also a client that accepts nothing but that."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
