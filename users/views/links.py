"""Who looks after whom, as programme admins keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.conditional import Conditional
from core.idempotency import once
from core.permissions import IsPlatformAdmin
from core.schema import RETRY_SAFE
from core.viewing import TellsViewer
from users.filters import LinkFilter
from users.models import StudentSupervisor
from users.serializers.directory import LinkWriteSerializer
from users.serializers.people import LinkSerializer
from users.services.links import change_link, link_people, unlink

if TYPE_CHECKING:
    from rest_framework.request import Request

    from core.http import SignedInRequest


@extend_schema(tags=["People"])
class LinksViewSet(
    Conditional,
    TellsViewer,
    ListModelMixin,
    RetrieveModelMixin,
    GenericViewSet[StudentSupervisor],
):
    """Platform admins link students to the adults who look after them."""

    request: SignedInRequest
    queryset = StudentSupervisor.objects.with_people().newest_first()
    permission_classes = [IsPlatformAdmin]
    serializer_class = LinkSerializer
    filterset_class = LinkFilter
    lookup_value_converter = "id"
    tagged = {"POST", "PUT", "PATCH"}

    def current(self) -> Any:
        return self.get_serializer(self.get_object()).data

    @extend_schema(summary="List links")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List links, newest first, of a student, of a supervisor or of one kind."""
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Read a link")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return a link with both its ends."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Link a student to an adult",
        request=LinkWriteSerializer,
        responses={201: LinkSerializer},
        parameters=RETRY_SAFE,
    )
    def create(self, request: SignedInRequest) -> Response:
        """Link two people, once for each kind. Permission that an admin gives here counts, as an admin's."""
        body = LinkWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = {"granted": False, **body.validated_data}
        link, headers = once(
            request, lambda: link_people(by=request.user, **values), among=self.get_queryset()
        )
        return Response(self.get_serializer(link).data, status.HTTP_201_CREATED, headers=headers)

    @extend_schema(summary="Change a link", request=LinkWriteSerializer, responses=LinkSerializer)
    def update(self, request: SignedInRequest, pk: int, *, partial: bool = False) -> Response:
        """Change what is sent. Somebody else at one end withdraws the permission, unless it is sent too."""
        link = self.get_object()
        body = LinkWriteSerializer(data=request.data, partial=partial)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        granted = values.pop("granted", None)
        return Response(
            self.get_serializer(change_link(link, by=request.user, values=values, granted=granted)).data
        )

    @extend_schema(
        summary="Change some of a link",
        request=LinkWriteSerializer(partial=True),
        responses=LinkSerializer,
    )
    def partial_update(self, request: SignedInRequest, pk: int) -> Response:
        """The same as PUT, for any of the fields."""
        return self.update(request, pk, partial=True)

    @extend_schema(summary="Take a link away", responses={204: OpenApiResponse(description="Gone.")})
    def destroy(self, request: SignedInRequest, pk: int) -> Response:
        """Delete a link with its permission."""
        unlink(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
