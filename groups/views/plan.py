"""Milestones and tasks: kept by whoever may see the group; for all others there is none (404)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import Model, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.mixins import ListModelMixin
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.conditional import Conditional, Tagged
from core.idempotency import once
from core.schema import RETRY_SAFE
from core.viewing import TellsViewer
from groups.access import access_group
from groups.filters import OwnTaskFilter, TaskFilter
from groups.models import Group, Milestone, Task
from groups.serializers.plan import (
    MilestoneSerializer,
    MilestoneWriteSerializer,
    NewTaskSerializer,
    OrderSerializer,
    PlanSerializer,
    TaskChangedSerializer,
    TaskDoneSerializer,
    TaskRowSerializer,
    TaskSerializer,
    TaskWriteSerializer,
)
from groups.services import plan

if TYPE_CHECKING:
    from rest_framework.request import Request

    from core.http import SignedInRequest

Row = TypeVar("Row", bound=Model)
GONE = {204: OpenApiResponse(description="Gone.")}


class PlanViewSet(TellsViewer, GenericViewSet[Row]):
    """What is below one group; ``pk`` in the path is the group's id."""

    request: SignedInRequest
    permission_classes = [IsAuthenticated]

    def group(self) -> Group:
        return access_group(self.request.user, self.kwargs["pk"])

    def sent(self, serializer: Any, **kwargs: Any) -> dict[str, Any]:
        body = serializer(data=self.request.data, **kwargs)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)


class StepsViewSet(PlanViewSet[Milestone]):
    """Milestones with their tasks."""

    queryset = Milestone.objects.all()
    serializer_class = MilestoneSerializer

    def rows(self, group: Group) -> QuerySet[Milestone]:
        milestones: QuerySet[Milestone] = group.milestones.prefetch_related("tasks__assigned_to")
        return milestones


@extend_schema(tags=["Groups"])
class MilestonesViewSet(Tagged, StepsViewSet):
    """The steps of a group's project."""

    @extend_schema(
        summary="Add a milestone",
        request=MilestoneWriteSerializer,
        responses={201: MilestoneSerializer},
        parameters=RETRY_SAFE,
    )
    def create(self, request: SignedInRequest, pk: str) -> Response:
        """Append a milestone to the group's plan; its `order_index` is the next one."""
        group = self.group()
        sent = self.sent(MilestoneWriteSerializer)
        milestone, headers = once(
            request, lambda: plan.add_milestone(group, by=request.user, **sent), among=self.rows(group)
        )
        return Response(self.get_serializer(milestone).data, status.HTTP_201_CREATED, headers=headers)

    @extend_schema(summary="Reorder milestones", request=OrderSerializer, responses=PlanSerializer)
    def reorder(self, request: SignedInRequest, pk: str) -> Response:
        """Put the milestones into the order of ids that is sent: all of them, each once."""
        group = self.group()
        plan.reorder_milestones(group, by=request.user, **self.sent(OrderSerializer))
        return Response({"milestones": self.get_serializer(self.rows(group), many=True).data})


@extend_schema(tags=["Groups"])
class MilestoneViewSet(Conditional, StepsViewSet):
    """One step of a group's project."""

    tagged = {"POST", "PUT", "PATCH"}

    def milestone(self) -> Milestone:
        return get_object_or_404(self.rows(self.group()), pk=self.kwargs["milestone_id"])

    def current(self) -> Any:
        return self.get_serializer(self.milestone()).data

    @extend_schema(summary="Change a milestone", request=MilestoneWriteSerializer(partial=True))
    def partial_update(self, request: SignedInRequest, pk: str, milestone_id: int) -> Response:
        """Change title, description or due date."""
        milestone = self.milestone()
        values = self.sent(MilestoneWriteSerializer, partial=True)
        plan.change_milestone(milestone, by=request.user, values=values)
        return Response(self.current())

    @extend_schema(summary="Remove a milestone", responses=GONE)
    def destroy(self, request: SignedInRequest, pk: str, milestone_id: int) -> Response:
        """Remove a milestone with its tasks. An admin can bring it back at the admin site for 30 days."""
        plan.remove_milestone(self.milestone(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Add a task",
        request=NewTaskSerializer,
        responses={201: TaskSerializer},
        parameters=RETRY_SAFE,
    )
    def add_task(self, request: SignedInRequest, pk: str, milestone_id: int) -> Response:
        """Append a task to a milestone; it may be somebody's of the group, and have a due date."""
        milestone = self.milestone()
        sent = self.sent(NewTaskSerializer)
        task, headers = once(
            request, lambda: plan.add_task(milestone, by=request.user, **sent), among=milestone.tasks.all()
        )
        wire = TaskSerializer(task, context=self.get_serializer_context())
        return Response(wire.data, status.HTTP_201_CREATED, headers=headers)

    @extend_schema(
        summary="Reorder a milestone's tasks", request=OrderSerializer, responses=MilestoneSerializer
    )
    def reorder_tasks(self, request: SignedInRequest, pk: str, milestone_id: int) -> Response:
        """Put the tasks of a milestone into the order of ids that is sent: all of them, each once."""
        plan.reorder_tasks(self.milestone(), by=request.user, **self.sent(OrderSerializer))
        return Response(self.current())


@extend_schema(tags=["Groups"])
class TaskViewSet(Conditional, ListModelMixin, PlanViewSet[Task]):
    """What is to be done in a group."""

    queryset = Task.objects.all()
    serializer_class = TaskRowSerializer
    filterset_class = TaskFilter

    def get_queryset(self) -> QuerySet[Task]:
        if "pk" not in self.kwargs:
            return super().get_queryset()  # the schema is being read
        rows = Task.objects.filter(milestone__group=self.group())
        tasks: QuerySet[Task] = rows.with_people().in_order_of_plan()
        return tasks

    def task(self) -> Task:
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["task_id"])

    def shown(self, task: Task) -> Any:
        return TaskSerializer(task, context=self.get_serializer_context()).data

    def answer(self, task: Task) -> Response:
        return Response({"success": True, "task": self.shown(task)})

    def current(self) -> Any:
        return self.shown(self.task())

    def document_in(self, data: Any) -> Any:
        return data["task"]

    @extend_schema(summary="List a group's tasks")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the tasks of all milestones in the order of the plan, narrowed by assignee and state."""
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Tick a task off", request=TaskDoneSerializer, responses=TaskChangedSerializer)
    def update(self, request: SignedInRequest, pk: str, task_id: int) -> Response:
        """Say whether a task is done; everything else that is sent is ignored."""
        task = self.task()
        return self.answer(plan.change_task(task, by=request.user, values=self.sent(TaskDoneSerializer)))

    @extend_schema(
        summary="Change a task",
        request=TaskWriteSerializer(partial=True),
        responses=TaskChangedSerializer,
    )
    def partial_update(self, request: SignedInRequest, pk: str, task_id: int) -> Response:
        """Change name, assignee, due date, or whether it is done."""
        task = self.task()
        values = self.sent(TaskWriteSerializer, partial=True)
        return self.answer(plan.change_task(task, by=request.user, values=values))

    @extend_schema(summary="Remove a task", responses=GONE)
    def destroy(self, request: SignedInRequest, pk: str, task_id: int) -> Response:
        """Remove a task from its milestone."""
        plan.remove_task(self.task(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["Groups"])
class OwnTasksViewSet(TellsViewer, ListModelMixin, GenericViewSet[Task]):
    """What is one's own to do, over all groups."""

    request: SignedInRequest
    queryset = Task.objects.all()
    permission_classes = [IsAuthenticated]
    serializer_class = TaskRowSerializer
    filterset_class = OwnTaskFilter

    def get_queryset(self) -> QuerySet[Task]:
        groups = Group.objects.visible_to(self.request.user)
        mine = Task.objects.of_groups(groups).assigned_to(self.request.user)
        tasks: QuerySet[Task] = mine.with_people().most_urgent_first()
        return tasks

    @extend_schema(summary="List one's own tasks")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the tasks that are one's own in the groups that one may see: open and due soonest first."""
        return super().list(request, *args, **kwargs)
