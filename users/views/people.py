"""People as programme admins keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.conditional import Conditional
from core.idempotency import once
from core.listing import PreparedListMixin
from core.negotiation import WhateverIsAccepted
from core.permissions import IsPlatformAdmin
from core.roles import Role
from core.schema import RETRY_SAFE, TOO_MANY_EXPORTS
from core.spreadsheets import CsvResponse
from core.throttling import ExportsPerPerson
from users.filters import PeopleFilter
from users.models import User
from users.models.headcounts import tracks_in_use
from users.pagination import PeopleListing, PeoplePagination
from users.serializers.directory import (
    AccountSerializer,
    FilterChoicesSerializer,
    PersonRowSerializer,
    StatusChangedSerializer,
    StatusSerializer,
)
from users.serializers.people import UserSerializer
from users.services.accounts import change_account, change_status, create_account
from users.services.documents import document_of
from users.services.erasure import erase_person
from users.services.export import export_people

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from core.http import SignedInRequest
    from core.listing import SomeViewer

# What a row of the table is made of.
ROW: Final = ("first_name", "last_name", "email", "role", "track", "status")


@extend_schema(tags=["People"])
class PeopleViewSet(Conditional, PreparedListMixin, GenericViewSet[User]):
    """Platform admins keep the people of the programme."""

    request: SignedInRequest
    queryset = User.objects.by_name()
    permission_classes = [IsPlatformAdmin]
    serializer_class = PersonRowSerializer
    pagination_class = PeoplePagination
    filterset_class = PeopleFilter
    listing_class = PeopleListing
    lookup_value_converter = "id"

    @staticmethod
    def rows_for(viewer: User | SomeViewer) -> QuerySet[User]:  # noqa: ARG004 - an admin sees everybody
        people: QuerySet[User] = User.objects.by_name()
        return people.only(*ROW)

    def document(self, person: User) -> dict[str, Any]:
        return document_of(person, viewer=self.request.user)

    def current(self) -> dict[str, Any]:
        return self.document(self.get_object())

    def document_in(self, data: Any) -> Any:
        return None if self.action in {"update_status", "patch_status"} else data

    @extend_schema(summary="List people")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List people by name, narrowed by role, status, track and search; up to 500 a page."""
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Add a person",
        request=AccountSerializer,
        responses={201: PersonRowSerializer},
        parameters=RETRY_SAFE,
    )
    def create(self, request: SignedInRequest) -> Response:
        """Make an account; nobody is mailed. The person signs in by their address, and has no password."""
        body = AccountSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        person, headers = once(
            request, lambda: create_account(by=request.user, **body.sections), among=self.get_queryset()
        )
        return Response(PersonRowSerializer(person).data, status.HTTP_201_CREATED, headers=headers)

    @extend_schema(summary="Read a person", responses=UserSerializer)
    def retrieve(self, request: Request, pk: int) -> Response:
        """Return a person's whole document."""
        return Response(self.current())

    @extend_schema(summary="Change a person", request=AccountSerializer, responses=UserSerializer)
    def update(self, request: SignedInRequest, pk: int, *, partial: bool = False) -> Response:
        """Change what is sent, all of it or nothing. A new role or address signs the person out everywhere.

        Superusers are changed by superusers alone (403). Nobody takes their own rights, or those of the
        last active admin (400, `own_account` or `last_admin`).
        """
        person = self.get_object()
        body = AccountSerializer(data=request.data, partial=partial)
        body.is_valid(raise_exception=True)
        return Response(self.document(change_account(person, by=request.user, **body.sections)))

    @extend_schema(
        summary="Change some of a person",
        request=AccountSerializer(partial=True),
        responses=UserSerializer,
    )
    def partial_update(self, request: SignedInRequest, pk: int) -> Response:
        """The same as PUT, without the need to send the address."""
        return self.update(request, pk, partial=True)

    @extend_schema(
        summary="Erase a person",
        responses={
            204: OpenApiResponse(description="Gone."),
            400: OpenApiResponse(description="Oneself, or the last active admin."),
            403: OpenApiResponse(description="A superuser."),
        },
    )
    def destroy(self, request: SignedInRequest, pk: int) -> Response:
        """Delete an account with everything personal, for good. What they said stays, without their name."""
        erase_person(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def set_status(self, request: SignedInRequest) -> Response:
        person = self.get_object()
        body = StatusSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        changed = change_status(person, status=body.validated_data["status"], by=request.user)
        return Response({"success": True, "user": PersonRowSerializer(changed).data})

    @extend_schema(
        summary="Set a person's status", request=StatusSerializer, responses=StatusChangedSerializer
    )
    @action(detail=True, methods=["put"], url_path="status")
    def update_status(self, request: SignedInRequest, pk: int) -> Response:
        """Activate or suspend; who is suspended is signed out everywhere, at once. Guards as in changing."""
        return self.set_status(request)

    @extend_schema(
        summary="Set a person's status (the same as PUT)",
        request=StatusSerializer,
        responses=StatusChangedSerializer,
    )
    @update_status.mapping.patch
    def patch_status(self, request: SignedInRequest, pk: int) -> Response:
        """Activate or suspend."""
        return self.set_status(request)

    @extend_schema(summary="What people can be filtered by", responses=FilterChoicesSerializer)
    @action(detail=False, pagination_class=None, filterset_class=None)
    def filters(self, request: Request) -> Response:
        """Return the tracks in use, each once whatever its case, with all roles and statuses."""
        tracks = tracks_in_use()
        return Response({"tracks": tracks, "roles": Role.values, "statuses": User.Status.values})

    @extend_schema(
        summary="Export people as CSV",
        filters=True,
        responses={(200, "text/csv"): OpenApiTypes.STR, 429: TOO_MANY_EXPORTS},
    )
    @action(
        detail=False,
        pagination_class=None,
        content_negotiation_class=WhateverIsAccepted,
        throttle_classes=[ExportsPerPerson],
    )
    def export(self, request: SignedInRequest) -> CsvResponse:
        """Stream everybody whom the same filters find, in the same order, as UTF-8 CSV for spreadsheets.

        Text that a spreadsheet would run as a formula is led by an apostrophe. The export is audited.
        """
        people = self.filter_queryset(self.get_queryset())
        filename = f"users-export-{timezone.now():%Y%m%d-%H%M%S}.csv"
        return CsvResponse(filename, export_people(people, by=request.user, asked=request.query_params))
