"""Routes below ``/api/groups/`` and ``/api/tasks/``, and those about groups below ``/api/admin/``."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

import groups.converters  # noqa: F401 - registers <group:...>
from groups.views.health import GroupHealthView
from groups.views.numbers import StatsView
from groups.views.plan import MilestonesViewSet, MilestoneViewSet, OwnTasksViewSet, TaskViewSet
from groups.views.teams import GroupViewSet
from groups.views.templates import RunGroupsViewSet, TemplateRunsViewSet, TemplatesViewSet

app_name = "groups"
router = SimpleRouter(use_regex_path=False)
router.register("groups", GroupViewSet, "group")
plan = [
    path("milestones/", MilestonesViewSet.as_view({"post": "create"}), name="group-create-milestone"),
    path(
        "milestones/order/",
        MilestonesViewSet.as_view({"put": "reorder"}),
        name="group-reorder-milestones",
    ),
    path(
        "milestones/<id:milestone_id>/",
        MilestoneViewSet.as_view({"patch": "partial_update", "delete": "destroy"}),
        name="group-delete-milestone",
    ),
    path(
        "milestones/<id:milestone_id>/tasks/",
        MilestoneViewSet.as_view({"post": "add_task"}),
        name="group-add-task",
    ),
    path(
        "milestones/<id:milestone_id>/tasks/order/",
        MilestoneViewSet.as_view({"put": "reorder_tasks"}),
        name="group-reorder-tasks",
    ),
    path("tasks/", TaskViewSet.as_view({"get": "list"}), name="group-tasks"),
    path(
        "tasks/<id:task_id>/",
        TaskViewSet.as_view({"put": "update", "patch": "partial_update", "delete": "destroy"}),
        name="group-update-task",
    ),
]
urlpatterns = [
    path("tasks/mine/", OwnTasksViewSet.as_view({"get": "list"}), name="own-tasks"),
    *router.urls,
    path("groups/<group:pk>/", include(plan)),
]
admin_router = SimpleRouter(use_regex_path=False)
admin_router.register("milestone-templates", TemplatesViewSet, "milestone-template")
admin_router.register("template-runs", TemplateRunsViewSet, "template-run")
run_groups = RunGroupsViewSet.as_view({"get": "list"})
admin_urlpatterns = [
    *admin_router.urls,
    path("template-runs/<id:pk>/groups/", run_groups, name="template-run-groups"),
    path("groups/health/", GroupHealthView.as_view(), name="group-health"),
    path("stats/", StatsView.as_view(), name="stats"),
]
