"""``/api/schema/sockets/``: the AsyncAPI document, for whoever may read the OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.views import APIView

from btf_backend.asyncapi import written
from core.permissions import MayReadDocs

if TYPE_CHECKING:
    from rest_framework.request import Request


@extend_schema(exclude=True)
class SocketsSchemaView(APIView):
    """The document as YAML (RFC 9512)."""

    authentication_classes = [SessionAuthentication]
    permission_classes = [MayReadDocs]

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(written(), content_type="application/yaml")
