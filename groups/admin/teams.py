"""Groups at the admin site: who is in them, who was, and their milestones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.utils.timesince import timesince

from core.admin import actor
from core.admin.confirming import Deed, ask_then_do
from core.admin.filters import TrackFilter
from groups.admin.attention import GroupsNeedFilter
from groups.admin.desk import GoneFilter, RestoringAdmin
from groups.admin.giving import GivesTemplates
from groups.admin.inlines import MemberInline, MilestoneInline, PastMemberInline
from groups.admin.overview import overview_of, problems_of
from groups.models import Group, GroupMember, Milestone, NewMember
from groups.services import plan
from groups.services.holding import still_acting
from groups.services.members import add_members, remove_member
from groups.services.teams import archive_group, change_group, create_group, restore_group

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from users.models import User

ARCHIVE: Final = Deed(
    title="Archive groups",
    says="They go out of everybody's sight, with their plans and conversations. They can be restored for "
    "30 days.",
    verb="Archive",
    done="archived. They can be restored for 30 days.",
    do=archive_group,
    why_not=lambda group: "It is archived already." if group.archived_at else "",
    noun=("group", "groups"),
    is_grave=True,
)
RESTORE: Final = Deed(
    title="Restore groups",
    says="They come back as they were, for everybody who is in them.",
    verb="Restore",
    done="restored.",
    do=lambda group, *, by: restore_group(group.pk, by=by),
    why_not=lambda group: "" if group.archived_at else "It is not archived.",
    noun=("group", "groups"),
)


class GroupForm(forms.ModelForm):
    """A group without an id gets the next number."""

    class Meta:
        help_texts: ClassVar = {"id": "Letters, digits, - and _. Blank: the next number, such as BTF046."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "id" in self.fields:
            self.fields["id"].required = False


class ArchivedFilter(GoneFilter):
    """Archived groups."""

    title, parameter_name, column = "archived", "archived", "archived_at"


@admin.register(Group)
class GroupAdmin(GivesTemplates, RestoringAdmin):
    form = GroupForm
    gone, takes_away = ArchivedFilter, "archive"
    beside = {"groupId": "id", "mentorId": "mentor"}
    list_display = [
        *("group_id", "name", "track", "status", "mentor", "members", "tasks", "last_activity", "attention"),
    ]
    list_filter = [GroupsNeedFilter, ArchivedFilter, "status", TrackFilter]
    list_select_related = ["mentor"]
    ordering = ["sort_key", "id"]
    search_fields = ["id", "name"]
    autocomplete_fields = ["mentor"]
    date_hierarchy = "created_at"
    actions = ["give_template", "archive", "restore"]
    change_form_outer_before_template = "admin/groups/overview.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """Say in a list how each group stands: the page of one asks for itself, a choice needs none of it."""
        rows: Any = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and match.url_name == "groups_group_changelist"
        groups: QuerySet[Group] = rows.with_summary().with_health() if is_list else rows
        return groups

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Nothing is given to archived groups."""
        actions = super().get_actions(request)
        if self.shows_gone(request):
            actions.pop("give_template", None)
        return actions

    @admin.display(description="group id", ordering="sort_key")
    def group_id(self, group: Group) -> str:
        return group.pk

    @admin.display(description="members", ordering="member_count")
    def members(self, group: Any) -> int:
        return int(group.member_count)

    @admin.display(description="tasks done")
    def tasks(self, group: Any) -> str:
        return f"{group.tasks_done} of {group.tasks_total}"

    @admin.display(description="silent for", ordering="last_activity_at")
    def last_activity(self, group: Any) -> str:
        return timesince(group.last_activity_at, depth=1)

    @admin.display(description="needs")
    def attention(self, group: Any) -> str:
        return ", ".join(problems_of(group))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        group = kwargs.get("obj")
        context["overview"] = overview_of(group, request) if group else None
        return super().render_change_form(request, context, *args, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> list[Any]:
        is_archived = obj is not None and obj.archived_at is not None
        return ["id", "name", "track", "status", "mentor", *(["archived_at"] if is_archived else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> list[str]:
        return ["id", "archived_at"] if obj else []

    def get_inlines(self, request: HttpRequest, obj: Group | None) -> list[Any]:
        return [MemberInline, MilestoneInline, *([PastMemberInline] if obj else [])]

    def save_model(self, *args: Any, **kwargs: Any) -> None:
        """Leave it to ``save_related``, which knows the people in the rows beside the group as well."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Write by the same services as the API, in the page's transaction: people first, then the group."""
        by, beside = actor(request), {formset.model: formset for formset in formsets}
        for formset in formsets:
            formset.save(commit=False)
        still_acting(by, beside=people_in(form, beside.get(GroupMember)))
        write_group(form, by=by)
        # Who lacks the permission to see such rows does not send them.
        for model, write in ((GroupMember, write_members), (Milestone, write_milestones)):
            if model in beside:
                write(form.instance, beside[model], by=by)

    @admin.action(description="Archive selected groups", permissions=["take_away"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Group]) -> HttpResponse | None:
        """Take groups from everybody's sight; they can be restored for 30 days."""
        return ask_then_do(self, request, queryset, ARCHIVE)

    @admin.action(description="Restore selected groups", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Group]) -> HttpResponse | None:
        """Bring archived groups back as they were."""
        return ask_then_do(self, request, queryset, RESTORE)


def people_in(form: Any, members: Any) -> set[int]:
    """Return the ids of all whom the services will lock, one after the other, before and after the group."""
    rows = [*members.new_objects, *members.deleted_objects] if members else []
    mentor: User | None = form.cleaned_data["mentor"]
    mentors = {mentor.pk if mentor else None, form.initial.get("mentor")} - {None}
    return {*(row.user_id for row in rows), *mentors}


def write_group(form: Any, *, by: User) -> None:
    """Make the group of a form, whose id is then the form's, or change what was changed in it."""
    group, is_new = form.instance, "id" in form.fields
    names = {"name", "track", "status"} & set(form.fields if is_new else form.changed_data)
    values = {name: form.cleaned_data[name] for name in names}
    if is_new or "mentor" in form.changed_data:
        values["mentor_id"] = group.mentor_id
    if is_new:
        group.pk = create_group(by=by, group_id=form.cleaned_data["id"], **values).pk
    else:
        change_group(group, by=by, values=values)
    group.refresh_from_db()


def write_members(group: Group, formset: Any, *, by: User) -> None:
    for row in formset.deleted_objects:
        remove_member(group, by=by, user_id=row.user_id)
    if joining := [NewMember(row.user_id, row.role) for row in formset.new_objects]:
        add_members(group, by=by, members=joining)


def write_milestones(group: Group, formset: Any, *, by: User) -> None:
    for milestone in formset.deleted_objects:
        plan.remove_milestone(milestone, by=by)
    for milestone, changed in formset.changed_objects:
        plan.change_milestone(milestone, by=by, values={name: getattr(milestone, name) for name in changed})
    for milestone in formset.new_objects:
        plan.add_milestone(group, by=by, title=milestone.title, due_date=milestone.due_date)
