"""Groups: everyone reads those that they may see; platform admins make and change them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.conditional import Conditional
from core.idempotency import once
from core.pagination import HousePagination
from core.permissions import AdminWrites
from core.registry import conversation_rows
from core.schema import RETRY_SAFE
from groups.filters import GroupFilter
from groups.models import Group, PastMember
from groups.reading import all_rows, document_row, own_rows, summary
from groups.serializers.documents import detail, own_summaries, summaries
from groups.serializers.people import PastMemberSerializer
from groups.serializers.teams import (
    GroupDetailSerializer,
    GroupsSerializer,
    GroupWriteSerializer,
    JoiningSerializer,
    LeavingSerializer,
    NewGroupSerializer,
    OwnGroupsSerializer,
)
from groups.services.members import add_members, remove_member
from groups.services.teams import archive_group, change_group, create_group, restore_group

if TYPE_CHECKING:
    from core.http import SignedInRequest
    from core.registry import ConversationRow
    from groups.models.teams import GroupQuerySet


@extend_schema(tags=["Groups"])
class GroupViewSet(Conditional, GenericViewSet[Group]):
    """Teams. What one may not see does not exist (404); what only admins do is 403 for all others."""

    request: SignedInRequest
    queryset = Group.objects.all()
    permission_classes = [AdminWrites]
    serializer_class = GroupDetailSerializer
    filterset_class = GroupFilter
    pagination_class = None
    lookup_value_converter = "group"

    def get_queryset(self) -> GroupQuerySet:
        groups: GroupQuerySet = Group.objects.visible_to(self.request.user)
        return groups

    def document(self, group_id: str) -> dict[str, Any]:
        """Return a group's whole document, read anew."""
        viewer = self.request.user
        return detail(document_row(viewer, group_id), viewer)

    def current(self) -> dict[str, Any]:
        return self.document(self.kwargs["pk"])

    @extend_schema(summary="List groups", responses=GroupsSerializer, filters=True)
    def list(self, request: SignedInRequest) -> Response:
        """List all groups that one may see, by id as people count, narrowed by track and status. No pages."""
        is_narrowed = bool(request.query_params)
        rows = summary(self.filter_queryset(self.get_queryset())) if is_narrowed else all_rows(request.user)
        return Response({"groups": summaries(rows, request.user)})

    @extend_schema(summary="List one's own groups", responses=OwnGroupsSerializer)
    @action(detail=False, url_path="my-groups", filterset_class=None)
    def my_groups(self, request: SignedInRequest) -> Response:
        """List the groups in which one is, or which one mentors, with progress and what is new. No pages."""
        rows = own_rows(request.user)
        told: dict[str, ConversationRow] = {}
        for rows_of in conversation_rows:
            told |= rows_of(request.user, [pk for pk, *_ in rows])
        return Response({"groups": own_summaries(rows, request.user, told)})

    @extend_schema(summary="Read a group", responses=GroupDetailSerializer)
    def retrieve(self, request: SignedInRequest, pk: str) -> Response:
        """Return a group with its members, its mentor, and its milestones with their tasks."""
        return Response(self.document(pk))

    @extend_schema(
        summary="Make a group",
        request=NewGroupSerializer,
        responses={201: GroupDetailSerializer},
        parameters=RETRY_SAFE,
    )
    def create(self, request: SignedInRequest) -> Response:
        """Make a group with its members, or nothing. Without an id it gets the next number.

        An id is never given out twice, not even that of a deleted group.
        """
        body = NewGroupSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        group, headers = once(
            request, lambda: create_group(by=request.user, **body.values), among=self.get_queryset()
        )
        return Response(self.document(group.pk), status.HTTP_201_CREATED, headers=headers)

    @extend_schema(
        summary="Change a group",
        request=GroupWriteSerializer(partial=True),
        responses=GroupDetailSerializer,
    )
    def partial_update(self, request: SignedInRequest, pk: str) -> Response:
        """Change name, track, status or mentor. A mentor who is replaced loses access at once."""
        group = self.get_object()
        body = GroupWriteSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        change_group(group, by=request.user, values=dict(body.validated_data))
        return Response(self.document(pk))

    @extend_schema(
        summary="Delete a group", responses={204: OpenApiResponse(description="Gone for everyone.")}
    )
    def destroy(self, request: SignedInRequest, pk: str) -> Response:
        """Archive a group: it is gone for everyone, and its sockets close. It can be restored for 30 days."""
        archive_group(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Restore a group", request=None, responses=GroupDetailSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: SignedInRequest, pk: str) -> Response:
        """Bring back a deleted group, as it was, within 30 days."""
        return Response(self.document(restore_group(pk, by=request.user).pk))

    @extend_schema(
        summary="Add people to a group",
        request=JoiningSerializer,
        responses={201: GroupDetailSerializer},
        parameters=RETRY_SAFE,
    )
    @action(detail=True, methods=["post"])
    def members(self, request: SignedInRequest, pk: str) -> Response:
        """Put one person or several into a group, all or none; answers the whole group."""
        group = self.get_object()
        body = JoiningSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        _, headers = once(
            request,
            lambda: add_members(group, by=request.user, **body.validated_data),
            among=self.get_queryset(),
        )
        return Response(self.document(pk), status.HTTP_201_CREATED, headers=headers)

    @extend_schema(
        summary="Take a person out of a group",
        parameters=[OpenApiParameter("userId", int, description="Whom: here, or as `userId` in the body.")],
        responses={204: OpenApiResponse(description="Out.")},
    )
    @members.mapping.delete
    def leave(self, request: SignedInRequest, pk: str) -> Response:
        """Take a person out, at once: the record keeps their name; their open tasks are nobody's."""
        group = self.get_object()
        whom = LeavingSerializer(data=request.data if "userId" in request.data else request.query_params)
        whom.is_valid(raise_exception=True)
        remove_member(group, by=request.user, user_id=whom.validated_data["userId"])
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="groups_member_destroy",
        summary="Take a person out of a group, by path",
        responses={204: OpenApiResponse(description="Out.")},
    )
    @action(detail=True, methods=["delete"], url_path="members/<id:user_id>", url_name="member")
    def remove_member(self, request: SignedInRequest, pk: str, user_id: int) -> Response:
        """The same as DELETE on the members, with the person's id in the path."""
        remove_member(self.get_object(), by=request.user, user_id=user_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="List past members", responses=PastMemberSerializer(many=True))
    @action(
        detail=True,
        filterset_class=None,
        pagination_class=HousePagination,
        permission_classes=[IsAuthenticated],
    )
    def history(self, request: SignedInRequest, pk: str) -> Response:
        """List who was in the group or mentored it, newest leave first: their names, and nothing else."""
        rows: Any = PastMember.objects.filter(group=self.get_object()).select_related("user")
        page: Any = self.paginate_queryset(rows)
        return self.get_paginated_response(PastMemberSerializer(page, many=True).data)
