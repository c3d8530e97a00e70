"""What stands below a group in the path must belong to it, and be a number (SAFETY B24; B45)."""

from __future__ import annotations

from typing import Any

from groups.models import Task
from groups.tests.cases import GroupCase, call
from groups.tests.factories import make_group, make_milestone, make_task

NOBODY = 2**62


class NestedIdTests(GroupCase):
    def paths(self, group: str, milestone: Any, task: Any) -> list[tuple[str, str, Any]]:
        start = f"/api/groups/{group}"
        step = f"{start}/milestones/{milestone}"
        return [
            ("patch", f"{step}/", {"title": "taken"}),
            ("delete", f"{step}/", None),
            ("post", f"{step}/tasks/", {"name": "taken"}),
            ("put", f"{step}/tasks/order/", {"order": []}),
            ("put", f"{start}/tasks/{task}/", {"completed": True}),
            ("patch", f"{start}/tasks/{task}/", {"name": "taken"}),
            ("delete", f"{start}/tasks/{task}/", None),
        ]

    def test_ids_of_another_group_are_404_even_to_who_sees_both(self) -> None:
        """SAFETY B24."""
        other = make_group(members=[self.student])
        foreign = make_milestone(other, title="theirs")
        task = make_task(foreign, name="theirs")

        for who in (self.student, self.admin):
            for method, path, body in self.paths(self.group.pk, foreign.pk, task.pk):
                with self.subTest(f"{method} {path}", who=who.role):
                    self.assert_refused(call(who, method, path, body), 404)

        foreign.refresh_from_db()
        task.refresh_from_db()
        self.assertEqual((foreign.title, foreign.removed_at), ("theirs", None))
        self.assertEqual((task.name, task.completed, task.removed_at), ("theirs", False, None))
        self.assertEqual(Task.everything.count(), 1)

    def test_ids_that_are_none_are_404(self) -> None:
        """B45, SAFETY B24."""
        for bad in (
            *("abc", "-1", "0", "1.5", "1e400", str(2**63), "9" * 40, "%00", "..%2f", "%D9%A1", "None"),
            *("1%20", "+1", "0x1", NOBODY),
        ):
            for method, path, body in self.paths(self.group.pk, bad, bad):
                with self.subTest(f"{method} {path}"):
                    self.assert_refused(call(self.student, method, path, body), 404)
