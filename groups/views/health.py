"""The groups that need attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView

from core.pagination import HousePagination
from core.permissions import IsPlatformAdmin
from core.viewing import TellsViewer
from groups.serializers.health import (
    GroupHealthNumbersSerializer,
    GroupHealthQuerySerializer,
    GroupHealthSerializer,
)
from groups.services.health import described, examine, having, numbers_of

if TYPE_CHECKING:
    from rest_framework.response import Response

    from core.http import SignedInRequest


class HealthPagination(HousePagination):
    """Pages that also say how many groups have each problem, whichever of them are shown."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        envelope: dict[str, Any] = super().get_paginated_response_schema(schema)
        names = list(GroupHealthNumbersSerializer().fields)
        envelope["properties"]["numbers"] = {
            "type": "object",
            "description": GroupHealthNumbersSerializer.__doc__,
            "properties": {name: {"type": "integer"} for name in names},
            "required": names,
        }
        envelope["required"].append("numbers")
        return envelope


class GroupHealthView(TellsViewer, GenericAPIView[Any]):
    """What an admin looks at in the morning."""

    request: SignedInRequest
    permission_classes = [IsPlatformAdmin]
    pagination_class = HealthPagination
    filter_backends = []
    serializer_class = GroupHealthSerializer

    @extend_schema(
        tags=["Groups"],
        operation_id="admin_groups_health_list",
        summary="List the groups that need attention",
        parameters=[GroupHealthQuerySerializer],
        responses=GroupHealthSerializer(many=True),
    )
    def get(self, request: SignedInRequest) -> Response:
        """List active groups that are silent, without a mentor or late, the longest silent first.

        `numbers` are over all active groups of the track, whichever `problem` is asked for.
        """
        asked = GroupHealthQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        problem = asked.validated_data.pop("problem")
        findings = examine(**asked.validated_data)
        page: Any = self.paginate_queryset(having(findings, problem))
        response = self.get_paginated_response(self.get_serializer(described(page), many=True).data)
        response.data["numbers"] = GroupHealthNumbersSerializer(numbers_of(findings)).data
        return response
