"""The programme in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from core.permissions import IsPlatformAdmin
from groups.serializers.numbers import ProgrammeNumbersSerializer, TrackSerializer
from groups.services.numbers import programme_numbers

if TYPE_CHECKING:
    from rest_framework.request import Request


class StatsView(APIView):
    """The cards above the admins' table."""

    permission_classes = [IsPlatformAdmin]

    @extend_schema(
        tags=["People"],
        summary="The programme in numbers",
        parameters=[TrackSerializer],
        responses=ProgrammeNumbersSerializer,
    )
    def get(self, request: Request) -> Response:
        """Count people, mentors, students and active groups, of one track or of all."""
        asked = TrackSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return Response(ProgrammeNumbersSerializer(programme_numbers(**asked.validated_data)).data)
