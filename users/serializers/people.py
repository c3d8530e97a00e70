"""The person's document on the wire: whole for oneself and admins, brief about others."""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.serializers import BoundedListField, PlainBooleanField, StrictCharField, WireModelSerializer
from users.addresses import normalise
from users.models import StudentSupervisor, SupervisorProfile, User, UserProfile
from users.policy import Writer, fields_of, read_only_for

LONG_TEXT: Final = 5_000
CHIPS: Final = 100


class AddressField(StrictCharField):
    """An e-mail address, answered in its one spelling."""

    def to_internal_value(self, data: Any) -> str:
        try:
            return normalise(super().to_internal_value(data))
        except ValidationError as error:
            raise serializers.ValidationError("Enter a valid email address.", "invalid") from error


class ChipsField(BoundedListField):
    """Free-text chips: at most 100, each at most 255 characters."""

    child = StrictCharField(max_length=255)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=CHIPS, **kwargs)


class ProfileSerializer(WireModelSerializer[UserProfile]):
    """What a person says about themselves. Strings are never null; ``yearLevel`` is 0 to 20 or null."""

    areasOfInterest = ChipsField(source="areas_of_interest", required=False)  # noqa: N815
    controlledInterests = ChipsField(source="controlled_interests", required=False)  # noqa: N815

    class Meta:
        model = UserProfile
        fields = fields_of("profile")
        extra_kwargs = {
            "yearLevel": {"source": "year_level", "min_value": 0, "max_value": 20},
            "availability": {"max_length": LONG_TEXT},
            "bio": {"max_length": LONG_TEXT},
        }


class SupervisorProfileSerializer(WireModelSerializer[SupervisorProfile]):
    """An adult's organisation and check, as an admin writes it."""

    class Meta:
        model = SupervisorProfile
        fields = fields_of("supervisorProfile")
        read_only_fields = read_only_for("supervisorProfile", Writer.ADMIN)


class OwnSupervisorProfileSerializer(SupervisorProfileSerializer):
    """The same as its owner writes it: ``wwccVerified`` is an admin's word."""

    class Meta(SupervisorProfileSerializer.Meta):
        read_only_fields = read_only_for("supervisorProfile", Writer.OWNER)


class UserBriefSerializer(WireModelSerializer[User]):
    """A person in somebody else's document. ``viewer`` in the context decides what is told.

    About somebody else a non-admin reads no address and no compliance data.
    """

    name = serializers.SerializerMethodField()
    email = serializers.SerializerMethodField()
    supervisorProfile = serializers.SerializerMethodField()  # noqa: N815

    class Meta:
        model = User
        fields = ["id", "email", "role", "track", "status", "name", "supervisorProfile"]

    def tells_all(self, user: User) -> bool:
        viewer: User = self.context["viewer"]
        return viewer.is_platform_admin or viewer.pk == user.pk

    def get_name(self, user: User) -> str:
        return user.name_for(self.context["viewer"])

    def get_email(self, user: User) -> str:
        return user.email if self.tells_all(user) else ""

    @extend_schema_field(SupervisorProfileSerializer(allow_null=True))
    def get_supervisorProfile(self, user: User) -> dict[str, Any] | None:  # noqa: N802
        profile = getattr(user, "supervisor_profile", None)
        if profile is None or not self.tells_all(user):
            return None
        return SupervisorProfileSerializer(profile).data


LINK_FIELDS: Final = ["id", "relationshipType", "joinPermissionGranted", "joinPermissionGrantedAt", "notes"]


class SupervisorLinkSerializer(WireModelSerializer[StudentSupervisor]):
    """A link as the student's document shows it."""

    supervisor = UserBriefSerializer()

    class Meta:
        model = StudentSupervisor
        fields = [*LINK_FIELDS, "supervisor"]


class SuperviseeLinkSerializer(WireModelSerializer[StudentSupervisor]):
    """A link as the adult's document shows it."""

    student = UserBriefSerializer()

    class Meta:
        model = StudentSupervisor
        fields = [*LINK_FIELDS, "student"]


class LinkSerializer(WireModelSerializer[StudentSupervisor]):
    """A link with both its ends."""

    student = UserBriefSerializer()
    supervisor = UserBriefSerializer()

    class Meta:
        model = StudentSupervisor
        fields = [
            "id",
            "student",
            "supervisor",
            "relationshipType",
            "joinPermissionGranted",
            "joinPermissionGrantedAt",
            "notes",
            "createdAt",
            "updatedAt",
        ]


class UserSerializer(WireModelSerializer[User]):
    """The whole document of a person, for themselves and for admins.

    The row is a ``linked`` one of ``documents``. A missing profile shows as an empty one.
    """

    profile = serializers.SerializerMethodField()
    supervisorProfile = SupervisorProfileSerializer(source="supervisor_profile", allow_null=True)  # noqa: N815
    supervisors = SupervisorLinkSerializer(source="supervisor_links", many=True)
    supervisees = SuperviseeLinkSerializer(source="supervisee_links", many=True)
    name = serializers.CharField()
    # Made of the address, which may hold signs that the model's own rule for usernames does not know.
    username = serializers.CharField(max_length=150, help_text="The address, or made of it.")

    class Meta:
        model = User
        fields = [*fields_of("account"), "profile", "supervisorProfile", "supervisors", "supervisees"]

    @extend_schema_field(ProfileSerializer)
    def get_profile(self, user: User) -> dict[str, Any]:
        return ProfileSerializer(getattr(user, "profile", None) or UserProfile()).data


class OwnAccountSerializer(serializers.Serializer[dict[str, Any]]):
    """What a person may change of their own document: each section partial, all of it or nothing.

    A field's error stands under its own name at the top level, as the contract has it.
    """

    track = StrictCharField(max_length=50, allow_blank=True, allow_null=True, required=False)
    profile = ProfileSerializer(required=False, allow_null=True)
    supervisorProfile = OwnSupervisorProfileSerializer(required=False, allow_null=True)  # noqa: N815

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        try:
            valid: dict[str, Any] = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError(flattened(error.detail)) from error
        return {name: value for name, value in valid.items() if value is not None}


def flattened(detail: Any) -> dict[str, Any]:
    """Lift the errors of the two sections to the top level; a section that is no object keeps its name."""
    fields: dict[str, Any] = {}
    for name, errors in detail.items():
        if isinstance(errors, dict) and "non_field_errors" not in errors:
            fields.update(errors)
        else:
            fields[name] = errors["non_field_errors"] if isinstance(errors, dict) else errors
    return fields


class JoinPermissionSerializer(serializers.Serializer[dict[str, bool]]):
    """A decision about a link."""

    joinPermissionGranted = PlainBooleanField(source="granted")  # noqa: N815
