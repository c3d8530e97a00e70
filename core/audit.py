"""Writing the audit log: in the transaction of what it records."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from core.logs import current_address, current_request_id
from core.models import AuditEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model

    from users.models import User

BATCH: Final = 500
# Not ``track``: people write their own, and may write anything.
PLAIN_VALUES = frozenset(
    {"role", "status", "is_active", "is_staff", "is_superuser", "wwcc_verified", "mentor_id"}
)


def record(
    action: str,
    *,
    actor: User | None = None,
    target: Model | None = None,
    changes: dict[str, Any] | None = None,
) -> AuditEvent:
    """Append one row: ids, the action's name, and ``changes``, which must hold nothing personal."""
    return AuditEvent.objects.create(**columns(action, actor=actor, target=target, changes=changes))


def record_all(
    action: str, *, actor: User | None = None, targets: Iterable[tuple[Model, dict[str, Any]]]
) -> None:
    """Append a row for each target with its changes; one query for some hundred."""
    AuditEvent.objects.bulk_create(
        [
            AuditEvent(**columns(action, actor=actor, target=target, changes=changes))
            for target, changes in targets
        ],
        batch_size=BATCH,
    )


def columns(
    action: str, *, actor: User | None, target: Model | None, changes: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "action": action,
        "actor_id": actor.pk if actor else None,
        "object_type": target._meta.label_lower if target else "",  # noqa: SLF001 - documented API
        "object_id": str(target.pk) if target else "",
        "changes": changes or {},
        "request_id": current_request_id.get(),
        "address": address_of(actor),
    }


def address_of(actor: User | None) -> str | None:
    """Return from where an admin acts. Where participants are is not written down: the log is not erased."""
    if actor is None or not (actor.is_platform_admin or actor.is_staff):
        return None
    with suppress(ValueError):
        return str(ipaddress.ip_address(current_address.get()))
    return None


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Name the fields that changed; say from what to what only where the values are not personal."""
    changed = [name for name in after if before.get(name) != after[name]]
    return {name: [before.get(name), after[name]] if name in PLAIN_VALUES else True for name in changed}
