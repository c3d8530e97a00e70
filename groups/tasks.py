"""What happens to groups in the background."""

from __future__ import annotations

from datetime import timedelta

from core.periodic import periodic
from groups.services import plan, teams


@periodic("purge_groups", every=timedelta(hours=24))
def purge_groups() -> dict[str, int]:
    """Delete for good what was archived or removed more than 30 days ago."""
    groups = 0
    while teams.purge_next():
        groups += 1
    return {"groups": groups, "plan_rows": plan.purge_removed()}
