"""Templates of milestones at the admin site, and what became of those that were given to groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect
from django.urls import reverse

from core.admin import LookOnly, Narrowed, actor
from core.admin.inlines import PagedFormSet, PagedInline
from core.admin.library import button
from groups.admin.desk import DeskAdmin
from groups.admin.giving import progress_of
from groups.models import (
    Milestone,
    MilestoneTemplate,
    Task,
    TemplateMilestone,
    TemplateRun,
    TemplateRunGroup,
    TemplateTask,
)
from groups.services.templates import held_template

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


class TemplateDesk(DeskAdmin):
    """Pages that write rows themselves: the rules are the rows' own. What is deleted is gone for good."""

    recorded_by_services = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_take_away_permission(request)


class BoundedFormSet(PagedFormSet):
    """Rows below a template, no more of them than the API takes."""

    def clean(self) -> None:
        super().clean()
        added = [form for form in self.extra_forms if form.has_changed()]
        count = self.paginator.count + len(added) - len(self.deleted_forms)
        template = getattr(self.instance, "template", None)
        if count > self.max_num:
            raise ValidationError(f"At most {self.max_num}.")
        if self.model is TemplateTask and template is not None:
            others = TemplateTask.objects.filter(milestone__template=template).exclude(
                milestone=self.instance.pk
            )
            if count + others.count() > MilestoneTemplate.TASKS:
                raise ValidationError(f"A template has at most {MilestoneTemplate.TASKS} tasks in all.")


class TemplateMilestoneInline(PagedInline):
    """The template's milestones; what they mean, and their tasks, stand on their own pages."""

    model = TemplateMilestone
    formset = BoundedFormSet
    fields = ["title", "due_after_days", "order_index"]
    extra = 0
    max_num = Milestone.PER_GROUP
    show_change_link = True


@admin.register(MilestoneTemplate)
class MilestoneTemplateAdmin(TemplateDesk):
    list_display = ["name", "created_at", "updated_at"]
    ordering = ["name"]  # also of what is suggested where a template is chosen
    search_fields = ["name"]
    date_hierarchy = "created_at"
    inlines: ClassVar = [TemplateMilestoneInline]
    actions_detail: ClassVar = ["give_out"]

    def has_give_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return actor(request).is_platform_admin

    @button(description="Give to groups…", permissions=["give"], icon="move_to_inbox", url_path="give")
    def give_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to where groups are chosen."""
        self.message_user(
            request, "Choose groups, and the action “Give a template of milestones to selected groups”."
        )
        return HttpResponseRedirect(reverse("admin:groups_group_changelist"))


class TemplateTaskInline(PagedInline):
    """What is to be done for the milestone."""

    model = TemplateTask
    formset = BoundedFormSet
    fields = ["name", "due_after_days", "place"]
    extra = 0
    max_num = Task.PER_MILESTONE


@admin.register(TemplateMilestone)
class TemplateMilestoneAdmin(TemplateDesk):
    list_display = ["title", "template", "order_index", "due_after_days"]
    list_select_related = ["template"]
    search_fields = ["title", "template__name"]
    autocomplete_fields = ["template"]
    inlines: ClassVar = [TemplateTaskInline]

    def get_readonly_fields(self, request: HttpRequest, obj: TemplateMilestone | None = None) -> list[str]:
        """A milestone does not change templates."""
        return ["template"] if obj else []

    def save_model(self, request: HttpRequest, obj: TemplateMilestone, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Hold the template: a run that begins now takes the milestone with all its tasks, or as it was."""
        held_template(obj.template)
        super().save_model(request, obj, form, change)


class TemplateRunGroupInline(LookOnly, PagedInline):
    """What became of each group."""

    model = TemplateRunGroup
    fields = ["group", "state", "reason"]
    verbose_name_plural = "groups"
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[TemplateRunGroup]:
        return super().get_queryset(request).select_related("group")


@admin.register(TemplateRun)
class TemplateRunAdmin(LookOnly, Narrowed):
    """Begun in the list of groups, or over the API."""

    fields = [
        *("template_name", "start_date", "started_by", "created_at", "finished_at", "applied", "skipped"),
    ]
    readonly_fields = ["applied", "skipped"]
    list_display = ["template_name", "start_date", "started_by", "created_at", "finished_at", "groups_done"]
    list_select_related = ["started_by"]
    search_fields = ["template_name"]
    date_hierarchy = "created_at"
    inlines: ClassVar = [TemplateRunGroupInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TemplateRun]:
        runs: Any = TemplateRun.objects
        rows: QuerySet[TemplateRun] = runs.with_counts().newest_first()
        return rows

    @admin.display(description="groups done")
    def groups_done(self, run: TemplateRun) -> str:
        return str(progress_of(run))

    @admin.display(description="groups that got it")
    def applied(self, run: TemplateRun) -> int:
        return run.applied

    @admin.display(description="groups that were left out")
    def skipped(self, run: TemplateRun) -> int:
        return run.skipped

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context["progress"] = progress_of(kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)
