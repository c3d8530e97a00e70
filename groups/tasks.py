"""What happens to groups in the background."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.forgetting import Old
from core.periodic import periodic
from core.tasks import background
from core.turns import take_turn
from groups.services import plan, reminders, teams, template_runs

OLD_TASKS: Final = Old("removed tasks", plan.tasks_removed_long_ago, by="removed_at")
OLD_MILESTONES: Final = Old("removed milestones", plan.milestones_removed_long_ago, by="removed_at")
OLD_GROUPS: Final = Old("archived groups", teams.archived_long_ago, by="archived_at")


@periodic("purge_groups", every=timedelta(hours=24), due=(OLD_TASKS, OLD_MILESTONES, OLD_GROUPS))
def purge_groups() -> dict[str, int]:
    """Delete for good what was archived or removed more than 30 days ago: groups one by one."""
    plan_rows, groups = OLD_TASKS.delete() + OLD_MILESTONES.delete(), 0
    while teams.purge_next():
        groups += 1
    return {"groups": groups, "plan_rows": plan_rows}


@background(attempts=8)
def apply_template(*, run_id: int) -> None:
    """Give a template to the groups of a run: each turn goes on where the last one stopped."""
    take_turn(template_runs.apply_to_next_group, again="groups.tasks.apply_template", run_id=run_id)


@periodic("resume_template_runs", every=timedelta(hours=1))
def resume_template_runs() -> dict[str, int]:
    """Take up runs of templates whose work was lost, as with the threads of a server that was stopped."""
    return {"resumed": template_runs.resume_runs()}


@periodic("remind_of_tasks", every=timedelta(minutes=15))
def remind_of_tasks() -> dict[str, int]:
    """Remind people of their open tasks, on the day before and on the day, from 08:00 by their clock."""
    return {"reminders": reminders.remind_of_tasks()}
