"""Resources: everyone reads what is for them; platform admins publish, change and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.conditional import Conditional
from core.idempotency import once
from core.listing import PreparedListMixin
from core.media.covers import HasCover
from core.pagination import ContentPagination
from core.parsers import BoundedMultiPartParser
from core.permissions import AdminWrites
from core.schema import RETRY_SAFE
from core.uploads.delivery import begins_download
from resources.filters import ResourceFilter
from resources.models import Resource
from resources.serializers import ResourceSerializer, ResourceWriteSerializer
from resources.services.downloads import count_download
from resources.services.publishing import change_resource, delete_resource, publish_resource

if TYPE_CHECKING:
    from rest_framework.parsers import BaseParser
    from rest_framework.request import Request

    from core.http import SignedInRequest
    from core.listing import SomeViewer
    from resources.models import ResourceQuerySet
    from users.models import User

LOCATION = OpenApiParameter(
    "Location", OpenApiTypes.URI, OpenApiParameter.HEADER, response=[302], description="The link to the file."
)


@extend_schema(tags=["Resources"])
class ResourceViewSet(HasCover, Conditional, PreparedListMixin, GenericViewSet[Resource]):
    """Files for an audience. What is not for one does not exist (404); admins alone write (403)."""

    request: SignedInRequest
    queryset = Resource.objects.all()
    permission_classes = [AdminWrites]
    serializer_class = ResourceSerializer
    filterset_class = ResourceFilter
    pagination_class = ContentPagination
    lookup_value_converter = "id"
    cover_folder = Resource.COVER_FOLDER

    def get_parsers(self) -> list[BaseParser]:
        """A new resource is a form, since it brings its file."""
        # A request's action is not set yet when this is asked; where the schema is made there is no request.
        action = getattr(self, "action", None) or self.action_map.get((self.request.method or "").lower())
        return [BoundedMultiPartParser()] if action == "create" else super().get_parsers()

    @staticmethod
    def rows_for(viewer: User | SomeViewer) -> ResourceQuerySet:
        return Resource.objects.visible_to(viewer).with_file()

    def get_queryset(self) -> ResourceQuerySet:
        return self.rows_for(self.request.user)

    def document(self, pk: int) -> dict[str, Any]:
        """Return a resource's whole document, read anew."""
        return dict(self.get_serializer(get_object_or_404(self.get_queryset(), pk=pk)).data)

    def current(self) -> dict[str, Any]:
        return self.document(self.kwargs["pk"])

    @extend_schema(summary="List resources")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what is for everybody or for the reader's role, newest first. Admins see all there is."""
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Read a resource")
    def retrieve(self, request: SignedInRequest, pk: int) -> Response:
        """Return a resource with links to its file and its cover."""
        return Response(self.document(pk))

    @extend_schema(
        summary="Publish a resource",
        request={"multipart/form-data": ResourceWriteSerializer},
        responses={201: ResourceSerializer},
        parameters=RETRY_SAFE,
    )
    def create(self, request: SignedInRequest) -> Response:
        """Store a file and publish it, or neither. What may be stored, `POST /api/uploads/` says."""
        body = ResourceWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        file = values.pop("file")
        resource, headers = once(
            request,
            lambda: publish_resource(by=request.user, file=file, values=values),
            among=Resource.objects.all(),
        )
        return Response(self.document(resource.pk), status.HTTP_201_CREATED, headers=headers)

    @extend_schema(
        summary="Change a resource",
        request=ResourceWriteSerializer(partial=True),
        responses=ResourceSerializer,
    )
    def partial_update(self, request: SignedInRequest, pk: int) -> Response:
        """Change some of a resource; as a form also its file, which replaces the one before.

        Whoever it is not for any more cannot open its file from then on.
        """
        resource = self.get_object()
        body = ResourceWriteSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        change_resource(resource, by=request.user, file=values.pop("file", None), values=values)
        return Response(self.document(pk))

    @extend_schema(
        summary="Delete a resource", responses={204: OpenApiResponse(description="Gone, with its files.")}
    )
    def destroy(self, request: SignedInRequest, pk: int) -> Response:
        """Delete a resource with its file and its cover; links to them end."""
        delete_resource(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Download a resource",
        parameters=[LOCATION],
        responses={302: OpenApiResponse(description="Where the file is.")},
    )
    @action(detail=True)
    def download(self, request: SignedInRequest, pk: int) -> HttpResponseRedirect:
        """Lead to the file, and count it: once a person and hour, however often its link is opened then."""
        resource = self.get_object()
        url = self.get_serializer(resource).data["url"]
        if not url:
            raise Http404
        response = HttpResponseRedirect(url)
        if begins_download(request._request):  # noqa: SLF001 - documented for such uses
            count_download(resource, by=request.user)
        return response
