"""Endpoints of the platform itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from core.docs import demo_people
from core.health import report
from core.policies import OWN_FILES
from core.schema import waits

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from rest_framework.request import Request


class ServicesSerializer(serializers.Serializer[dict[str, str]]):
    """One fixed word for each dependency."""

    database = serializers.ChoiceField(["connected", "error"])
    redis = serializers.ChoiceField(["connected", "error"])
    storage = serializers.ChoiceField(["connected", "error", "unknown"])
    mail = serializers.ChoiceField(["connected", "error", "not_probed", "unknown"])
    tasks = serializers.ChoiceField(["on_time", "late", "unknown"])
    migrations = serializers.ChoiceField(["applied", "pending", "unknown"])
    channels = serializers.ChoiceField(
        ["connected", "error", "unknown"],
        required=False,
        help_text="Only where events between processes have a Redis of their own.",
    )


class HealthSerializer(serializers.Serializer[dict[str, object]]):
    """Whether requests can be served."""

    status = serializers.ChoiceField(["healthy", "degraded", "unhealthy"])
    services = ServicesSerializer()
    environment = serializers.DictField(child=serializers.CharField())


class PublicView(APIView):
    """Needs no account, spends no budget, looks at no header."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes: list[Any] = []


class HealthView(PublicView):
    """Readiness: whether this process can serve requests."""

    @extend_schema(
        operation_id="health",
        summary="Readiness",
        tags=["Platform"],
        parameters=[waits(503)],
        responses={
            200: HealthSerializer,
            503: OpenApiResponse(HealthSerializer, "The database or the cache does not answer."),
        },
    )
    def get(self, request: Request) -> Response:
        """Probe database and cache, within a second. `redis` stands for the cache of either profile.

        The others were looked at up to half a minute ago. Their trouble is `degraded`, with 200.
        """
        services = report.services()
        status = report.status_of(services)
        body = {
            "status": status,
            "services": services,
            "environment": {"profile": "embedded" if settings.EMBEDDED else "production"},
        }
        if status == report.UNHEALTHY:
            return Response(body, status=503, headers={"Retry-After": "5"})
        return Response(body)


class LiveSerializer(serializers.Serializer[dict[str, str]]):
    """The process answers."""

    status = serializers.ChoiceField(["alive"])


class LiveView(PublicView):
    """Liveness: is this process alive? Touches nothing else."""

    @extend_schema(
        operation_id="health_live", summary="Liveness", tags=["Platform"], responses=LiveSerializer
    )
    def get(self, request: Request) -> Response:
        """Answer as long as the process runs, whatever happens to the database or the cache."""
        return Response({"status": "alive"})


# Exempt, or a POST there would be asked for a form token: 403, as a page.
@csrf_exempt
def unknown_path(request: HttpRequest) -> HttpResponse:
    """Answer what no route knows under ``/api/``: a JSON 404, also while DEBUG is on."""
    raise Http404


def welcome(request: HttpRequest) -> HttpResponse:
    """Show a newcomer where things are; served while DEBUG is on."""
    context = {"programme": settings.PROGRAMME_NAME, "demo_people": demo_people()}
    response = render(request, "welcome.html", context)
    response.headers["Content-Security-Policy"] = OWN_FILES
    return response
