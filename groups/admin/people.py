"""What groups add to the list of people and to the page of each: putting people into a group."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect

from core.admin import LookOnly, actor
from core.admin.confirming import Question, ask, chosen, is_confirmed, sent_again, tell
from core.admin.inlines import PagedInline
from core.admin.library import Select
from core.refusals import Refused
from groups.models import Group, GroupMember, MembershipRole, NewMember
from groups.services.members import add_members
from users.admin.additions import PeopleAction, people_actions, person_inlines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from users.models import User


class MembershipForm(forms.Form):
    """Into which group, and as what."""

    group = forms.ModelChoiceField(
        Group.objects.none(), widget=AutocompleteSelect(GroupMember.group.field, admin.site)
    )
    role = forms.ChoiceField(
        choices=MembershipRole.choices,
        initial=MembershipRole.STUDENT,
        widget=Select,
        help_text="What they are in the group; what they are in the programme stays.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["group"]
        field.queryset = Group.objects.all()


def may_add(request: HttpRequest) -> bool:
    """Ask what the page of a group asks: a platform admin, with the permission to add members."""
    return actor(request).is_platform_admin and request.user.has_perm("groups.add_groupmember")


def add_to_group(page: Any, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
    """Ask for the group, then put people into it: all who are not in it yet, or none."""
    people = chosen(queryset)
    form = MembershipForm(request.POST if is_confirmed(request) else None)
    if form.is_bound and form.is_valid() and join(page, request, form, people):
        return None
    question = Question(
        title="Add people to a group",
        says="They see the group, its plan and its conversation at once. Members of it stay as they are.",
        verb="Add",
        rows=people,
        noun=("person", "people"),
        back=request.get_full_path(),
        sent=sent_again(request, people),
        form=form,
    )
    return ask(page, request, question)


def join(page: Any, request: HttpRequest, form: MembershipForm, people: Sequence[User]) -> bool:
    """Write the memberships and say how many; where a rule refuses, say so beside the form."""
    group, role = form.cleaned_data["group"], form.cleaned_data["role"]
    ids = [person.pk for person in people]
    present = set(group.members.filter(user__in=ids).values_list("user_id", flat=True))
    joining = [NewMember(pk, role) for pk in ids if pk not in present]
    try:
        if joining:
            add_members(group, by=actor(request), members=joining)
    except Refused as refusal:
        form.add_error(None, refusal.message)
        return False
    left_out = Counter({"Already in this group.": len(present)} if present else {})
    tell(page, request, f"{len(joining)} added to {group}.", left_out)
    return True


class MembershipInline(LookOnly, PagedInline):
    """The groups of a person; people come and go on the group's page."""

    model = GroupMember
    fields = ["group", "role", "joined_at"]
    readonly_fields = ["joined_at"]
    verbose_name_plural = "groups"
    extra = 0
    tab = True
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[GroupMember]:
        rows = super().get_queryset(request).filter(group__archived_at=None)
        return rows.select_related("group")


people_actions.add(
    "add_to_group",
    PeopleAction(description="Add selected people to a group", run=add_to_group, allowed=may_add),
)
person_inlines.add("groups", MembershipInline)
