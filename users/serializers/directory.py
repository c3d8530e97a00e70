"""People and links as programme admins write them, and the short row of a person that they read."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.roles import Role
from core.serializers import PlainBooleanField, StrictCharField, WireModelSerializer
from users.models import StudentSupervisor, User
from users.serializers.people import (
    LONG_TEXT,
    AddressField,
    ProfileSerializer,
    SupervisorProfileSerializer,
)


class PersonRowSerializer(WireModelSerializer[User]):
    """A person in the admins' table."""

    name = serializers.CharField(read_only=True)

    class Meta:
        model = User
        fields = ["id", "name", "email", "role", "track", "status"]
        read_only_fields = fields


class AccountSerializer(serializers.Serializer[dict[str, Any]]):
    """What an admin writes of a person. Whatever is left out stays as it is, and so does a null section."""

    email = AddressField(max_length=320)
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    status = serializers.ChoiceField(choices=User.Status.choices, required=False)
    track = StrictCharField(max_length=50, allow_blank=True, required=False)
    profile = ProfileSerializer(required=False, allow_null=True)
    supervisorProfile = SupervisorProfileSerializer(  # noqa: N815
        source="supervisor_profile", required=False, allow_null=True
    )

    @property
    def sections(self) -> dict[str, Any]:
        """Return what was sent, by the row on which it is stored: arguments of the services."""
        account = dict(self.validated_data)
        return {
            "profile": account.pop("profile", None),
            "supervisor_profile": account.pop("supervisor_profile", None),
            "account": account,
        }


class StatusSerializer(serializers.Serializer[dict[str, str]]):
    """An account's status."""

    status = serializers.ChoiceField(choices=User.Status.choices)


class StatusChangedSerializer(serializers.Serializer[dict[str, Any]]):
    """That it was done, and the person as they are now."""

    success = serializers.BooleanField()
    user = PersonRowSerializer()


class FilterChoicesSerializer(serializers.Serializer[dict[str, list[str]]]):
    """What the table of people can be narrowed by."""

    tracks = serializers.ListField(child=serializers.CharField())
    roles = serializers.ListField(child=serializers.CharField())
    statuses = serializers.ListField(child=serializers.CharField())


class PersonIdField(serializers.PrimaryKeyRelatedField[User]):
    """A person by their id, a whole number."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("queryset", User.objects.all())
        super().__init__(pk_field=serializers.IntegerField(min_value=1), **kwargs)


class LinkWriteSerializer(serializers.ModelSerializer[StudentSupervisor]):
    """A link as an admin writes it."""

    studentId = PersonIdField(source="student")  # noqa: N815
    supervisorId = PersonIdField(source="supervisor")  # noqa: N815
    relationshipType = serializers.ChoiceField(  # noqa: N815
        source="relationship_type", choices=StudentSupervisor.Relationship.choices
    )
    joinPermissionGranted = PlainBooleanField(source="granted", required=False)  # noqa: N815
    notes = StrictCharField(max_length=LONG_TEXT, allow_blank=True, required=False)

    class Meta:
        model = StudentSupervisor
        fields = ["studentId", "supervisorId", "relationshipType", "joinPermissionGranted", "notes"]
        validators: list[Any] = []  # the service knows the rules, and the database the last word
