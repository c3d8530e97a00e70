"""Templates of milestones: platform admins keep them, and give them to groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.conditional import Conditional
from core.idempotency import once
from core.permissions import IsPlatformAdmin
from core.schema import RETRY_SAFE
from groups.filters import RunGroupFilter
from groups.models import MilestoneTemplate, TemplateRun, TemplateRunGroup
from groups.serializers.templates import (
    ApplyTemplateSerializer,
    MilestoneTemplateSerializer,
    TemplateRunGroupSerializer,
    TemplateRunSerializer,
)
from groups.services.templates import apply_template, change_template, create_template, delete_template

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from core.http import SignedInRequest


@extend_schema(tags=["Groups"])
class TemplatesViewSet(Conditional, ListModelMixin, RetrieveModelMixin, GenericViewSet[MilestoneTemplate]):
    """Milestone sets with relative dates. Changing one changes no group that has it already."""

    request: SignedInRequest
    queryset = MilestoneTemplate.objects.with_milestones().by_name()
    permission_classes = [IsPlatformAdmin]
    serializer_class = MilestoneTemplateSerializer
    lookup_value_converter = "id"

    def document(self, template: MilestoneTemplate) -> Any:
        """Return a template's document, read anew."""
        return self.get_serializer(get_object_or_404(self.get_queryset(), pk=template.pk)).data

    def current(self) -> Any:
        return self.get_serializer(self.get_object()).data

    @extend_schema(summary="List templates")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List templates by name, with their milestones and tasks."""
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Read a template")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return a template with its milestones and their tasks."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Make a template", responses={201: MilestoneTemplateSerializer}, parameters=RETRY_SAFE
    )
    def create(self, request: SignedInRequest) -> Response:
        """Make a template of milestones and tasks, each due so many days after the start, or never."""
        body = MilestoneTemplateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        template, headers = once(
            request,
            lambda: create_template(by=request.user, **body.validated_data),
            among=self.get_queryset(),
        )
        return Response(self.document(template), status.HTTP_201_CREATED, headers=headers)

    @extend_schema(summary="Replace a template")
    def update(self, request: SignedInRequest, pk: int, *, partial: bool = False) -> Response:
        """Replace a template whole. Groups keep what they have, and a run under way gives out what it had."""
        template = self.get_object()
        body = MilestoneTemplateSerializer(data=request.data, partial=partial)
        body.is_valid(raise_exception=True)
        change_template(template, by=request.user, values=body.validated_data)
        return Response(self.document(template))

    @extend_schema(summary="Change some of a template", request=MilestoneTemplateSerializer(partial=True))
    def partial_update(self, request: SignedInRequest, pk: int) -> Response:
        """Change name or description, or replace all milestones."""
        return self.update(request, pk, partial=True)

    @extend_schema(summary="Delete a template", responses={204: OpenApiResponse(description="Gone.")})
    def destroy(self, request: SignedInRequest, pk: int) -> Response:
        """Delete a template. Groups keep what they have of it, and a run under way goes on to its end."""
        delete_template(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Apply a template to groups",
        request=ApplyTemplateSerializer,
        responses={202: TemplateRunSerializer},
        parameters=RETRY_SAFE,
    )
    @action(detail=True, methods=["post"])
    def apply(self, request: SignedInRequest, pk: int) -> Response:
        """Append the milestones to up to 1,000 groups, in the background; dates count from the start.

        A group gets a template once: safe to send again. Groups that have it, were archived meanwhile, or
        would have too many milestones are skipped, with the reason. Poll the run until it is `finished`.
        """
        template = self.get_object()
        body = ApplyTemplateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        run, headers = once(
            request,
            lambda: apply_template(template, by=request.user, **body.validated_data),
            among=TemplateRun.objects.all(),
        )
        counted = TemplateRun.objects.with_counts().get(pk=run.pk)
        return Response(TemplateRunSerializer(counted).data, status.HTTP_202_ACCEPTED, headers=headers)


@extend_schema(tags=["Groups"])
class TemplateRunsViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet[TemplateRun]):
    """Which templates were given to groups, and what became of each."""

    queryset = TemplateRun.objects.with_counts().newest_first()
    permission_classes = [IsPlatformAdmin]
    serializer_class = TemplateRunSerializer
    lookup_value_converter = "id"

    @extend_schema(summary="List runs of templates")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List runs, newest first, with counts of their groups."""
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Read a run of a template")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return how far a run is: poll this while it is `running`."""
        return super().retrieve(request, *args, **kwargs)


@extend_schema(tags=["Groups"])
class RunGroupsViewSet(ListModelMixin, GenericViewSet[TemplateRunGroup]):
    """The groups of one run; ``pk`` in the path is the run's id."""

    queryset = TemplateRunGroup.objects.all()
    permission_classes = [IsPlatformAdmin]
    serializer_class = TemplateRunGroupSerializer
    filterset_class = RunGroupFilter

    def get_queryset(self) -> QuerySet[TemplateRunGroup]:
        if "pk" not in self.kwargs:
            return super().get_queryset()  # the schema is being read
        run = get_object_or_404(TemplateRun.objects.only("pk"), pk=self.kwargs["pk"])
        return super().get_queryset().filter(run=run)

    @extend_schema(summary="List the groups of a run")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what became of each group, in the order in which they were sent, and why some were skipped."""
        return super().list(request, *args, **kwargs)
