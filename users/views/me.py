"""A person's own document and relations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView, ListAPIView, get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from core.conditional import Conditional
from users.models import StudentSupervisor
from users.serializers.people import (
    JoinPermissionSerializer,
    LinkSerializer,
    OwnAccountSerializer,
    UserSerializer,
)
from users.services.accounts import update_account
from users.services.documents import document_of
from users.services.links import decide_join_permission

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from core.http import SignedInRequest


@extend_schema(tags=["My account"])
class MeView(Conditional, APIView):
    """One's own document."""

    permission_classes = [IsAuthenticated]

    def current(self) -> dict[str, Any]:
        return document_of(self.request.user)

    @extend_schema(summary="My document", responses=UserSerializer)
    def get(self, request: SignedInRequest) -> Response:
        """Return account, profile, supervisor profile, and the links to and from other people."""
        return Response(self.current())

    @extend_schema(summary="Change my document", request=OwnAccountSerializer, responses=UserSerializer)
    def put(self, request: SignedInRequest) -> Response:
        """Change the fields that are sent, all of them or none. Role, status and address are ignored here."""
        body = OwnAccountSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        valid = body.validated_data
        update_account(
            request.user,
            account={"track": valid["track"]} if "track" in valid else None,
            profile=valid.get("profile"),
            supervisor_profile=valid.get("supervisorProfile"),
        )
        return Response(self.current())

    @extend_schema(
        summary="Change my document (the same as PUT)", request=OwnAccountSerializer, responses=UserSerializer
    )
    def patch(self, request: SignedInRequest) -> Response:
        """Change the fields that are sent: both verbs are partial."""
        return self.put(request)


class MyLinks(GenericAPIView[StudentSupervisor]):
    """Links at either end of which the caller stands; others do not exist here."""

    request: SignedInRequest
    permission_classes = [IsAuthenticated]
    serializer_class = LinkSerializer
    queryset = StudentSupervisor.objects.none()

    def get_queryset(self) -> QuerySet[StudentSupervisor]:
        return StudentSupervisor.objects.of(self.request.user).with_people().newest_first()

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "viewer": self.request.user}


@extend_schema(tags=["My account"])
class MySupervisorsView(MyLinks, ListAPIView[StudentSupervisor]):
    """The caller's links."""

    @extend_schema(summary="My links to supervisors and students")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the links where the caller is student or supervisor, newest first."""
        return super().get(request, *args, **kwargs)


@extend_schema(tags=["My account"])
class MySupervisorView(Conditional, MyLinks):
    """One of the caller's links."""

    def link(self) -> StudentSupervisor:
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])

    def current(self) -> Any:
        return self.get_serializer(self.link()).data

    @extend_schema(
        summary="Give or withdraw permission to join",
        request=JoinPermissionSerializer,
        responses=LinkSerializer,
    )
    def patch(self, request: SignedInRequest, pk: int) -> Response:
        """Set the permission flag. Either end may; it counts only when an adult or an admin has set it."""
        link = self.link()
        body = JoinPermissionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        link = decide_join_permission(link, by=request.user, granted=body.validated_data["granted"])
        return Response(self.get_serializer(link).data)
