"""The pages that show the OpenAPI document: they load nothing from any other host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.response import Response

# Redoc draws its maker's logo from a foreign host and searches in a worker that it makes of a blob.
POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; worker-src blob:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)


class OwnHostOnly:
    """Adds the content security policy of the two pages."""

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer: Response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        answer.headers["Content-Security-Policy"] = POLICY
        return answer


@extend_schema(exclude=True)
class SchemaView(SpectacularAPIView):
    """The document itself, as YAML; as JSON with ``?format=json``."""


class SwaggerView(OwnHostOnly, SpectacularSwaggerSplitView):
    """Every operation, to read and to try."""


class RedocView(OwnHostOnly, SpectacularRedocView):
    """Every operation, to read."""

    template_name = "redoc.html"
