"""The pages that show the OpenAPI document: they load nothing from any other host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

from core.policies import REDOC, SWAGGER

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.response import Response


class HasPolicy:
    """Gives a page a content security policy of its own."""

    policy: ClassVar[str]

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer: Response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        answer.headers["Content-Security-Policy"] = self.policy
        return answer


@extend_schema(exclude=True)
class SchemaView(SpectacularAPIView):
    """The document itself, as YAML; as JSON with ``?format=json``."""


class SwaggerView(HasPolicy, SpectacularSwaggerSplitView):
    """Every operation, to read and to try."""

    policy = SWAGGER


class RedocView(HasPolicy, SpectacularRedocView):
    """Every operation, to read."""

    policy = REDOC
    template_name = "redoc.html"
