"""Endpoints of the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from btf_backend.console.serializers import TrendsSerializer, WeeksSerializer
from btf_backend.console.trends import weekly_trends
from core.permissions import IsPlatformAdmin

if TYPE_CHECKING:
    from rest_framework.request import Request


class TrendsView(APIView):
    """The curves of the admins' dashboard."""

    permission_classes = [IsPlatformAdmin]

    @extend_schema(
        tags=["People"],
        summary="The programme week by week",
        parameters=[WeeksSerializer],
        responses=TrendsSerializer,
    )
    def get(self, request: Request) -> Response:
        """Count sign-ins, new people, messages and registrations for events in each of the last weeks."""
        asked = WeeksSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return Response(TrendsSerializer({"weeks": weekly_trends(**asked.validated_data)}).data)
