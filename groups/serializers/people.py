"""People as they stand in a group's documents: by id and name, never by address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from groups.models import GroupMember, PastMember
from groups.serializers.documents import person

if TYPE_CHECKING:
    from users.models import User


class PersonSerializer(serializers.Serializer[Any]):
    """Somebody, by id and name."""

    id = serializers.IntegerField()
    name = serializers.CharField()


@extend_schema_field(PersonSerializer)
class PersonField(serializers.Field):  # type: ignore[type-arg]
    """Somebody, by id and by the name that the ``viewer`` in the context may read. Read only."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: User) -> dict[str, Any]:
        return person(value, self.context["viewer"])


class MemberSerializer(serializers.ModelSerializer[GroupMember]):
    """A member of a group, by the person's id."""

    id = serializers.IntegerField(source="user_id")
    name = serializers.CharField(read_only=True)

    class Meta:
        model = GroupMember
        fields = ["id", "name", "role"]
        read_only_fields = fields


class PastMemberSerializer(serializers.ModelSerializer[PastMember]):
    """Somebody who belonged to a group: their name in the record, and nothing else."""

    name = serializers.CharField(read_only=True, help_text="`Former member` for somebody erased since.")
    joinedAt = serializers.DateTimeField(  # noqa: N815
        source="joined_at", allow_null=True, help_text="Null: not written down."
    )
    leftAt = serializers.DateTimeField(source="left_at")  # noqa: N815

    class Meta:
        model = PastMember
        fields = ["id", "name", "role", "joinedAt", "leftAt"]
        read_only_fields = fields
