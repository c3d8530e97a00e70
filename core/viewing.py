"""What views of several apps share."""

from __future__ import annotations

from typing import Any


class TellsViewer:
    """Gives serializers ``viewer``: what is told of people depends on who asks."""

    request: Any

    def get_serializer_context(self) -> dict[str, Any]:
        context: dict[str, Any] = super().get_serializer_context()  # type: ignore[misc]
        return {**context, "viewer": self.request.user}
