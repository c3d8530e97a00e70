"""The pages that show the OpenAPI document: they load nothing from any other host."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

from core.policies import REDOC, SWAGGER
from core.roles import Role

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.response import Response

# Whom `seed_demo_data` makes, where no variable says otherwise.
DEMO_ADDRESSES: Final = {f"{role}@example.org": str(role) for role in Role}
# The library loads its extensions while it makes its first document, and two threads at once make it fail.
MAKING: Final = Lock()


def demo_people() -> list[tuple[str, str]]:
    """Return the role and address of each demo person, on a laptop where they are; else nobody."""
    if not (settings.EMBEDDED and settings.DEBUG):
        return []
    there = set(get_user_model().objects.filter(email__in=DEMO_ADDRESSES).values_list("email", flat=True))
    return [(role, address) for address, role in DEMO_ADDRESSES.items() if address in there]


@cache
def made() -> dict[str, Any]:
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document


def document() -> dict[str, Any]:
    """Return the OpenAPI document: half a second's work, and everybody's."""
    with MAKING:
        return made()


@cache
def written(renderer: Any) -> bytes:
    """Return the document as a class of renderers writes it."""
    text: bytes = renderer().render(document(), renderer_context={})
    return text


class HasPolicy:
    """Gives a page a content security policy of its own."""

    policy: ClassVar[str]

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer: Response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        answer.headers["Content-Security-Policy"] = self.policy
        return answer


@extend_schema(exclude=True)
class SchemaView(SpectacularAPIView):
    """The document itself, as YAML; as JSON with ``?format=json``. A process makes it once."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        form: Any = type(request.accepted_renderer)
        charset = f"; charset={form.charset}" if form.charset else ""
        name = self._get_filename(request, None)  # type: ignore[no-untyped-call]
        return HttpResponse(
            written(form),
            content_type=f"{form.media_type}{charset}",
            headers={"Content-Disposition": f'inline; filename="{name}"'},
        )


class SwaggerView(HasPolicy, SpectacularSwaggerSplitView):
    """Every operation, to read and to try; where there are demo people, with a bar to sign in as one."""

    policy = SWAGGER
    template_name = "swagger.html"

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        answer: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        answer.data["demo_people"] = demo_people()
        return answer


class RedocView(HasPolicy, SpectacularRedocView):
    """Every operation, to read."""

    policy = REDOC
    template_name = "redoc.html"
