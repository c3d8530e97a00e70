"""What must hold when several people make groups and plans at once (SAFETY R10; B41, B44)."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from authentication.tests.signing_in import signed_in_client
from core.testing import in_parallel
from groups.models import Group, GroupMember, Task
from groups.services.plan import add_milestone, add_task, remove_milestone, reorder_milestones
from groups.tests.cases import url
from groups.tests.factories import make_group, make_milestone, make_task
from groups.tests.racing import RaceCase
from users.tests.factories import make_admin, make_superuser, make_user

if TYPE_CHECKING:
    from users.models import User

AT_ONCE, FEW, ROUNDS = 30, 10, 8


class CreateRaces(RaceCase):
    def create_at_once(self, people: list[User], bodies: list[dict[str, Any]]) -> list[Any]:
        return self.post_at_once(people, url("list"), [{"name": "Team", **body} for body in bodies])

    def test_thirty_at_once_get_thirty_consecutive_ids(self) -> None:
        """B41, SAFETY R10: of thirty admins; and so do ten at once of one, and of five."""
        first = 1
        for people, at_once in (
            ([make_superuser()], FEW),
            ([make_admin() for _ in range(5)], FEW),
            ([make_admin() for _ in range(AT_ONCE)], AT_ONCE),
        ):
            responses = self.create_at_once(people, [{}] * at_once)

            self.assertEqual(Counter(response.status_code for response in responses), {201: at_once})
            ids = sorted(response.json()["id"] for response in responses)
            self.assertEqual(ids, [f"BTF{n:03}" for n in range(first, first + at_once)])
            first += at_once

    def test_the_same_members_in_another_order_stand_in_nobodys_way(self) -> None:
        people = [make_user() for _ in range(6)]
        named = [{"userId": person.pk} for person in people]

        responses = self.create_at_once(
            [make_admin() for _ in range(4)], [{"members": named[:: (-1) ** n]} for n in range(12)]
        )

        self.assertEqual(Counter(response.status_code for response in responses), {201: 12})
        self.assertEqual(GroupMember.objects.count(), 72)

    def test_numbers_go_round_ids_that_are_chosen_at_the_same_moment(self) -> None:
        """B41: every generated one is made; of the chosen ones, those that came first."""
        bodies = [{"groupId": f"btf{n:03}"} if n % 2 else {} for n in range(20)]

        responses = self.create_at_once([make_admin() for _ in range(5)], bodies)

        generated, chosen = responses[::2], responses[1::2]
        self.assertEqual(Counter(response.status_code for response in generated), {201: 10})
        for response in chosen:
            self.assertIn(response.status_code, {201, 400}, response.content)
            self.assertTrue(response.status_code == 201 or "groupId" in response.json())
        ids = [response.json()["id"].lower() for response in responses if response.status_code == 201]
        self.assertEqual((len(ids), Group.objects.count()), (len(set(ids)), len(ids)))

    def test_of_one_id_chosen_at_once_one_group_is_made(self) -> None:
        spellings = [{"groupId": group_id} for group_id in ("Team", "team", "TEAM", "tEAM")] * 2

        responses = self.create_at_once([make_admin() for _ in range(4)], spellings)

        self.assertEqual(Counter(response.status_code for response in responses), {201: 1, 400: 7})


class PlanRaces(RaceCase):
    def setUp(self) -> None:
        super().setUp()
        self.people = [make_user() for _ in range(3)]
        self.group = make_group(members=self.people)

    def test_sixteen_milestones_at_once_get_sixteen_places(self) -> None:
        """B44."""
        path = url("create-milestone", self.group.pk)

        responses = self.post_at_once(self.people, path, [{"title": "x"}] * 16)

        self.assertEqual(Counter(response.status_code for response in responses), {201: 16})
        places = sorted(response.json()["order_index"] for response in responses)
        self.assertEqual(places, list(range(1, 17)))

    def test_one_task_ticked_twenty_times_is_done_or_not(self) -> None:
        task = make_task(make_milestone(self.group))
        clients = [signed_in_client(self.people[n % 3]) for n in range(20)]
        path = url("update-task", self.group.pk, task.pk)

        responses = in_parallel(
            lambda n: clients[n].put(path, {"completed": n % 2 == 0}, format="json"), len(clients)
        )

        self.assertEqual(Counter(response.status_code for response in responses), {200: 20})
        said = [response.json()["task"]["completed"] for response in responses]
        self.assertEqual(said, [n % 2 == 0 for n in range(20)])

    def test_no_task_is_left_in_a_milestone_that_is_removed_meanwhile(self) -> None:
        student, other = self.people[:2]
        for _ in range(ROUNDS):
            milestone = make_milestone(self.group)
            self.meet(
                partial(remove_milestone, milestone, by=student),
                partial(add_task, milestone, by=other, name="x"),
                partial(add_task, milestone, by=student, name="y"),
            )
            self.assertFalse(Task.objects.filter(milestone=milestone).exists())

    def test_a_milestone_added_while_they_are_reordered_has_a_place_of_its_own(self) -> None:
        student, other = self.people[:2]
        for _ in range(ROUNDS):
            ids = list(self.group.milestones.values_list("pk", flat=True))[::-1]
            self.meet(
                partial(add_milestone, self.group, by=student, title="x"),
                partial(reorder_milestones, self.group, by=other, order=ids),
            )
            places = sorted(self.group.milestones.values_list("order_index", flat=True))
            self.assertEqual(places, list(range(1, len(places) + 1)))
