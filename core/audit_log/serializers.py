"""One event of the audit log as admins read it: its ids, with the names that they stand for today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.models import AuditEvent
from core.roles import FORMER_MEMBER
from core.serializers import WireModelSerializer

if TYPE_CHECKING:
    from collections.abc import Iterable

Names = dict[str, str]


def is_person(event: AuditEvent) -> bool:
    """Tell whether the event was done to a person."""
    return event.object_type == get_user_model()._meta.label_lower  # noqa: SLF001 - documented API


def names_of(events: Iterable[AuditEvent]) -> Names:
    """Return the names of all people in the events by their ids as text, in one query."""
    wanted = {event.actor_id for event in events if event.actor_id is not None}
    wanted |= {int(event.object_id) for event in events if is_person(event)}
    return {str(pk): person.name for pk, person in get_user_model().objects.in_bulk(wanted).items()}


class AuditActorSerializer(serializers.Serializer[dict[str, Any]]):
    """Who did it."""

    id = serializers.IntegerField()
    name = serializers.CharField(help_text=f'"{FORMER_MEMBER}" where the account is gone.')


class AuditObjectSerializer(serializers.Serializer[dict[str, Any]]):
    """To what it was done."""

    type = serializers.CharField(help_text="Blank where it was done to nothing in particular.")
    id = serializers.CharField()
    name = serializers.CharField(allow_null=True, help_text="Of people; null for all else.")


class AuditEventSerializer(WireModelSerializer[AuditEvent]):
    """Needs ``names`` in its context, as ``names_of`` returns them."""

    actor = serializers.SerializerMethodField()
    object = serializers.SerializerMethodField()
    changes = serializers.DictField(read_only=True)

    class Meta:
        model = AuditEvent
        fields = ["id", "at", "action", "actor", "object", "changes", "requestId", "address"]
        read_only_fields = fields

    def name(self, pk: int | str) -> str:
        names: Names = self.context["names"]
        return names.get(str(pk), FORMER_MEMBER)

    @extend_schema_field(AuditActorSerializer(allow_null=True))
    def get_actor(self, event: AuditEvent) -> dict[str, Any] | None:
        if event.actor_id is None:
            return None
        return {"id": event.actor_id, "name": self.name(event.actor_id)}

    @extend_schema_field(AuditObjectSerializer)
    def get_object(self, event: AuditEvent) -> dict[str, Any]:
        name = self.name(event.object_id) if is_person(event) else None
        return {"type": event.object_type, "id": event.object_id, "name": name}
