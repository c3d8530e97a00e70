"""Giving a template of milestones to groups that were chosen in their list: asked, begun, and watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from core.admin import HouseAdmin, actor
from core.admin.confirming import Question, ask, chosen, is_confirmed, sent_again
from core.admin.library import DateInput, Select
from core.admin.progress import Progress
from core.refusals import Refused
from groups.models import Group, MilestoneTemplate, TemplateRun
from groups.services.templates import apply_template

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


class GivingForm(forms.Form):
    """Which template, and from when its days count."""

    template = forms.ModelChoiceField(MilestoneTemplate.objects.order_by("name"), widget=Select)
    start_date = forms.DateField(
        label="first day",
        initial=timezone.localdate,
        widget=DateInput,
        help_text="The due dates of its milestones and tasks count from this day.",
    )

    def clean_start_date(self) -> Any:
        day = self.cleaned_data["start_date"]
        if day > TemplateRun.LATEST_START:
            raise forms.ValidationError(f"At latest {TemplateRun.LATEST_START}.")
        return day


class GivesTemplates(HouseAdmin):
    """A list of groups from which templates are given out."""

    def has_give_permission(self, request: HttpRequest) -> bool:
        return actor(request).is_platform_admin and self.has_change_permission(request)

    @admin.action(description="Give a template of milestones to selected groups", permissions=["give"])
    def give_template(self, request: HttpRequest, queryset: QuerySet[Group]) -> HttpResponse | None:
        """Ask for the template and its first day with the number of groups, then begin in the background."""
        try:
            groups = chosen(queryset.filter(archived_at=None))
            form = GivingForm(request.POST if is_confirmed(request) else None)
            if form.is_valid():
                return self.begun(request, groups, form.cleaned_data)
        except Refused as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return None
        question = Question(
            title="Give a template of milestones",
            says="Its milestones and tasks are added behind those that each group has. A group that has had "
            "this template before is left out. It is done in the background, and is not taken back at once.",
            verb="Give to",
            rows=groups,
            noun=("group", "groups"),
            back=request.get_full_path(),
            sent=sent_again(request, groups),
            form=form,
        )
        return ask(self, request, question)

    def begun(self, request: HttpRequest, groups: list[Group], values: dict[str, Any]) -> HttpResponse:
        run = apply_template(
            values["template"],
            by=actor(request),
            group_ids=[group.pk for group in groups],
            start_date=values["start_date"],
        )
        return HttpResponseRedirect(reverse("admin:groups_templaterun_change", args=[run.pk]))


def progress_of(run: TemplateRun) -> Progress:
    """Say how far a run is; the row comes from ``with_counts``."""
    done = run.applied + run.skipped
    is_under_way = run.state == TemplateRun.State.RUNNING
    return Progress(says="Groups done", done=done, total=run.total, is_under_way=is_under_way)
