"""Importing people from spreadsheets, as programme admins do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.idempotency import once
from core.parsers import BoundedMultiPartParser
from core.permissions import IsPlatformAdmin
from core.schema import RETRY_SAFE, TOO_MANY_EXPORTS
from core.spreadsheets import CsvResponse
from core.throttling import ExportsPerPerson
from users.models import PeopleImport
from users.serializers.imports import ImportRowSerializer, ImportSerializer, ImportUploadSerializer
from users.services.imports import check_file, notes_of, rejected_csv, start_commit, start_undo

if TYPE_CHECKING:
    from rest_framework.request import Request

    from core.http import SignedInRequest

EXPIRED = "Its rows are no longer kept (`import_expired`)"


@extend_schema(tags=["People"])
class ImportsViewSet(ListModelMixin, GenericViewSet[PeopleImport]):
    """Platform admins import people from CSV files: check, look at the report, commit, undo for a day."""

    request: SignedInRequest
    queryset = PeopleImport.objects.order_by("-created_at", "-id")
    permission_classes = [IsPlatformAdmin]
    parser_classes = [BoundedMultiPartParser]
    serializer_class = ImportRowSerializer
    lookup_value_converter = "id"

    @staticmethod
    def document(batch: PeopleImport) -> dict[str, Any]:
        return dict(ImportSerializer(batch, context={"notes": notes_of(batch)}).data)

    @extend_schema(summary="List imports of people")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List imports, newest first, without their reports."""
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Check a spreadsheet of people",
        request=ImportUploadSerializer,
        responses={201: ImportSerializer},
        parameters=RETRY_SAFE,
    )
    def create(self, request: SignedInRequest) -> Response:
        """Say what a CSV file would create and change, and what of it cannot be taken. No account is written.

        The first row names the columns: `email`, and any of `newEmail`, `role`, `status`, `track`, and the
        fields of profile and supervisor profile, as on the wire or as in the export. Rows are matched to
        people by address. An empty cell leaves the field as it is. Role, status and address of people who
        exist change only by the column and its flag. At most 10 MB, 10,000 people and 100 columns; UTF-8,
        separated by comma, semicolon or tab.
        """
        body = ImportUploadSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        flags = dict(body.validated_data)
        file = flags.pop("file")
        batch, headers = once(
            request, lambda: check_file(file, by=request.user, flags=flags), among=self.get_queryset()
        )
        return Response(self.document(batch), status.HTTP_201_CREATED, headers=headers)

    @extend_schema(summary="Read an import of people", responses=ImportSerializer)
    def retrieve(self, request: Request, pk: int) -> Response:
        """Return an import with its report and how far it is: poll this while it is written or undone."""
        return Response(self.document(self.get_object()))

    @extend_schema(
        summary="Commit an import of people",
        request=None,
        responses={
            202: ImportSerializer,
            409: OpenApiResponse(description=f"{EXPIRED}, or it was undone (`import_undone`)."),
        },
    )
    @action(detail=True, methods=["post"])
    def commit(self, request: SignedInRequest, pk: int) -> Response:
        """Write a checked import in the background. Safe to repeat: what is written is not written again.

        Each row is judged anew by what is stored then, and by the rights of who commits.
        """
        batch = start_commit(self.get_object().pk, by=request.user)
        return Response(self.document(batch), status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Undo an import of people",
        request=None,
        responses={
            202: ImportSerializer,
            409: OpenApiResponse(
                description=f"{EXPIRED}, it is not committed (`import_not_committed`), "
                "or it was undone already (`import_undone`)."
            ),
        },
    )
    @action(detail=True, methods=["post"])
    def undo(self, request: SignedInRequest, pk: int) -> Response:
        """Take a committed import back in the background, within 24 hours.

        People whom it made are erased where nobody has used or changed them since; fields that it changed go
        back where they still are as it wrote them. What stays is told in `remarks`.
        """
        batch = start_undo(self.get_object().pk, by=request.user)
        return Response(self.document(batch), status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Download rejected rows as CSV",
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            409: OpenApiResponse(description=f"{EXPIRED}."),
            429: TOO_MANY_EXPORTS,
        },
    )
    @action(detail=True, throttle_classes=[ExportsPerPerson])
    def rejected(self, request: SignedInRequest, pk: int) -> CsvResponse:
        """Stream the rejected rows with line and reason, to be mended and sent as a file of their own.

        Text that a spreadsheet would run as a formula is led by an apostrophe. The download is audited.
        """
        batch = self.get_object()
        return CsvResponse(f"import-{batch.pk}-rejected.csv", rejected_csv(batch, by=request.user))
