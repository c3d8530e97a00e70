"""Groups on the wire: a row of a list, a whole document, and what admins write."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from core.serializers import BoundedListField, StrictCharField, WireModelSerializer
from groups.models import Group, MembershipRole, NewMember
from groups.serializers.people import MemberSerializer, PersonField, PersonSerializer
from groups.serializers.plan import IdField, MilestoneSerializer

MEMBERS_AT_ONCE: Final = 500


class ProgressSerializer(serializers.Serializer[Group]):
    """How far a group has come."""

    tasksTotal = serializers.IntegerField(source="tasks_total")  # noqa: N815
    tasksDone = serializers.IntegerField(source="tasks_done")  # noqa: N815
    tasksOverdue = serializers.IntegerField(  # noqa: N815
        source="tasks_overdue", help_text="Open, and their day is over (UTC)."
    )
    lastActivityAt = serializers.DateTimeField(  # noqa: N815
        source="last_activity_at",
        help_text="The last message, or change of the plan; else when it was made.",
    )


class GroupSummarySerializer(WireModelSerializer[Group]):
    """A group in a list; ``members`` is their number."""

    members = serializers.IntegerField(source="member_count")
    mentor = PersonField(allow_null=True)

    class Meta:
        model = Group
        fields = ["id", "name", "members", "status", "mentor", "track"]
        read_only_fields = fields


class LastMessageSerializer(serializers.Serializer[Any]):
    """The newest message that one may read, cut short."""

    id = serializers.IntegerField()
    author = PersonSerializer()
    text = serializers.CharField(help_text="At most 200 characters.")
    timestamp = serializers.DateTimeField()


class OwnGroupSerializer(GroupSummarySerializer):
    """One of one's own groups, with its progress and what is new in its conversation."""

    progress = ProgressSerializer(source="*")
    unread = serializers.IntegerField(
        read_only=True,
        help_text="Messages of others since one's read cursor: at most 100, among the last 1,000.",
    )
    lastMessage = LastMessageSerializer(read_only=True, allow_null=True)  # noqa: N815

    class Meta(GroupSummarySerializer.Meta):
        fields = [*GroupSummarySerializer.Meta.fields, "progress", "unread", "lastMessage"]
        read_only_fields = fields


@extend_schema_serializer(many=False)
class GroupsSerializer(serializers.Serializer[dict[str, Any]]):
    """All groups that were asked for; not in pages."""

    groups = GroupSummarySerializer(many=True)


@extend_schema_serializer(many=False)
class OwnGroupsSerializer(serializers.Serializer[dict[str, Any]]):
    """All of one's own groups; not in pages."""

    groups = OwnGroupSerializer(many=True)


class GroupDetailSerializer(WireModelSerializer[Group]):
    """A group's whole document; ``members`` are people."""

    members = MemberSerializer(many=True)
    mentor = PersonField(allow_null=True)
    milestones = MilestoneSerializer(many=True)
    progress = ProgressSerializer(source="*")

    class Meta:
        model = Group
        fields = ["id", "name", "members", "status", "mentor", "track", "milestones", "progress"]
        read_only_fields = fields


class NewMemberSerializer(serializers.Serializer[dict[str, Any]]):
    """Who is to belong to a group, and as what."""

    userId = IdField(source="user_id")  # noqa: N815
    role = serializers.ChoiceField(
        choices=MembershipRole.choices, allow_blank=True, required=False, help_text="Blank: `student`."
    )

    def to_internal_value(self, data: Any) -> Any:
        sent = super().to_internal_value(data)
        return NewMember(sent["user_id"], sent.get("role") or MembershipRole.STUDENT)


class NewMembersField(BoundedListField):
    """1 to 500 new members, each person once."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=NewMemberSerializer(), allow_empty=False, max_length=MEMBERS_AT_ONCE, **kwargs)

    def to_internal_value(self, data: Any) -> list[NewMember]:
        members: list[NewMember] = super().to_internal_value(data)
        if len({member.user_id for member in members}) < len(members):
            raise serializers.ValidationError("Each person can be named once.")
        return members


class GroupWriteSerializer(WireModelSerializer[Group]):
    """What an admin changes of a group. A blank status is `active`."""

    status = StrictCharField(max_length=50, allow_blank=True, required=False)
    mentorId = IdField(  # noqa: N815
        source="mentor_id",
        allow_null=True,
        required=False,
        help_text="An active mentor, supervisor or admin. Null: nobody.",
    )

    class Meta:
        model = Group
        fields = ["name", "track", "status", "mentorId"]


class NewGroupSerializer(GroupWriteSerializer):
    """A new group. Without an id it gets the next number."""

    groupId = StrictCharField(  # noqa: N815
        source="group_id",
        max_length=50,
        allow_blank=True,
        allow_null=True,
        required=False,
        help_text="Letters, digits, - and _. Blank or null: the next number, such as `BTF046`.",
    )
    members = NewMembersField(required=False)

    class Meta(GroupWriteSerializer.Meta):
        fields = ["groupId", *GroupWriteSerializer.Meta.fields, "members"]

    @property
    def values(self) -> dict[str, Any]:
        """Return what was sent, as arguments of the service: a null id is a blank one."""
        sent = dict(self.validated_data)
        return {**sent, "group_id": sent.get("group_id") or ""}


class JoiningSerializer(serializers.Serializer[dict[str, Any]]):
    """People to put into a group: one by `userId`, or several as `members`."""

    userId = IdField(source="user_id", required=False)  # noqa: N815
    role = serializers.ChoiceField(choices=MembershipRole.choices, allow_blank=True, required=False)
    members = NewMembersField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("user_id" in attrs) == ("members" in attrs):
            raise serializers.ValidationError({"userId": "Send either userId or members."})
        if "members" in attrs:
            return {"members": attrs["members"], "named": "members"}
        role = attrs.get("role") or MembershipRole.STUDENT
        return {"members": [NewMember(attrs["user_id"], role)], "named": "userId"}


class LeavingSerializer(serializers.Serializer[dict[str, int]]):
    """Who is to leave a group."""

    userId = IdField()  # noqa: N815
