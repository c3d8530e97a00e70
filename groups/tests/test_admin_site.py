"""Groups at the admin site: the same rules, records and doorbells as over the API."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from unittest.mock import patch

from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import AuditEvent
from core.realtime import room_of_group
from core.testing import context_of
from groups.admin.teams import ARCHIVE
from groups.models import Group, GroupMember, Milestone, PastMember
from groups.services.teams import archive_group
from groups.tests.desk import DeskCase, make_staff, page
from groups.tests.factories import make_group, make_milestone, make_task
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from users.models import User

LIST, ADD = page(Group, "changelist"), page(Group, "add")


def cells(response: Any, column: str) -> list[str]:
    """Return what a column of a list shows, row by row, without its markup."""
    found = re.findall(
        rf'<t[dh] class="field-{column}[^>]*>(.*?)</t[dh]>', response.content.decode(), re.DOTALL
    )
    return [" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in found]


class GroupDeskCase(DeskCase):
    student: User
    mentor: User
    group: Group
    url = page(Group, "change", "TEAM")

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.student = make_user(first_name="Ada", last_name="Lovelace")
        cls.mentor = make_user(role="mentor", status="active")
        cls.group = make_group(id="TEAM", name="Biofilm", members=[cls.student])

    def errors(self, response: Any) -> dict[str, Any]:
        self.assertEqual(response.status_code, 200)
        return dict(response.context["adminform"].form.errors)


class AddingTests(GroupDeskCase):
    def add(self, **fields: Any) -> Any:
        return self.fill_in(ADD, **{"name": "Team", **fields})

    def test_a_blank_id_is_the_next_number(self) -> None:
        self.add()

        self.assertEqual(Group.objects.exclude(pk="TEAM").get().pk, "BTF001")
        self.assertContains(self.client.get(ADD), "Blank: the next number")

    def test_a_group_is_made_with_its_people_and_milestones(self) -> None:
        new = {"members__0__user": self.student.pk, "members__0__role": "student"}
        self.add(id="NEW", mentor=self.mentor.pk, milestones__0__title="Grow", **new)

        group = Group.objects.get(pk="NEW")
        self.assertEqual((group.mentor, group.sort_key), (self.mentor, "new"))
        self.assertIsNotNone(group.mentor_since)
        self.assertEqual([member.user for member in group.members.all()], [self.student])
        self.assertEqual([(m.title, m.order_index) for m in group.milestones.all()], [("Grow", 1)])
        self.assertEqual(self.recorded(), [("group_created", "NEW"), ("members_added", "NEW")])

    def test_an_id_that_cannot_be_given_is_refused_beside_its_field(self) -> None:
        archive_group(make_group(id="BTF007"), by=self.staff)
        make_group(id="BTF008").delete()

        for bad in ("a/b", "BTF007", "btf008", "my-groups"):
            with self.subTest(bad):
                response = self.add(id=bad)
                self.assertEqual(list(self.errors(response)), ["id"])
                self.assertContains(response, f'value="{bad}"')
        self.assertEqual(Group.everything.count(), 2)

    def test_an_id_in_another_case_is_the_same_id(self) -> None:
        self.assertContains(self.add(id="team"), "A group with this id exists already.")

    def test_the_same_person_twice_makes_no_group(self) -> None:
        twice = {
            f"members__{n}__{k}": v
            for n in (0, 1)
            for k, v in (("user", self.student.pk), ("role", "student"))
        }

        response = self.add(**twice)

        self.assertContains(response, "duplicate")
        self.assertEqual(Group.objects.count(), 1)


class ChangingTests(GroupDeskCase):
    def test_only_what_was_changed_is_written_and_recorded_once(self) -> None:
        self.fill_in(self.url, name="Biofilm Busters", status="closed")

        self.group.refresh_from_db()
        self.assertEqual((self.group.name, self.group.status), ("Biofilm Busters", "closed"))
        event = AuditEvent.objects.get(actor_id=self.staff.pk)
        expected = {"name": True, "status": True}
        self.assertEqual((event.action, event.changes), ("group_changed", expected))

    def test_saving_a_page_without_a_change_records_nothing(self) -> None:
        self.assertEqual(self.fill_in(self.url).status_code, 302)

        self.assertEqual(self.recorded(), [])

    def test_a_mentor_is_replaced_by_the_services_rule(self) -> None:
        Group.objects.filter(pk="TEAM").update(mentor=self.mentor)
        follower = make_user(role="supervisor", status="active")

        self.fill_in(self.url, mentor=follower.pk)

        self.group.refresh_from_db()
        self.assertEqual(self.group.mentor, follower)
        self.assertEqual(PastMember.objects.get().user, self.mentor)
        self.assertEqual(self.recorded(), [("group_changed", "TEAM")])

    def test_a_mentor_who_may_not_is_refused_beside_the_field(self) -> None:
        response = self.fill_in(self.url, mentor=self.student.pk, name="New")

        self.assertEqual(list(self.errors(response)), ["mentor"])
        self.assertContains(response, 'value="New"')
        self.group.refresh_from_db()
        self.assertEqual((self.group.mentor, self.group.name), (None, "Biofilm"))
        self.assertEqual(self.recorded(), [])

    def test_somebody_joins(self) -> None:
        friend = make_user()

        self.fill_in(self.url, members__1__user=friend.pk, members__1__role="supervisor")

        self.assertEqual(self.group.members.get(user=friend).role, "supervisor")
        self.assertEqual(self.recorded(), [("members_added", "TEAM")])

    def test_somebody_who_is_in_already_is_refused(self) -> None:
        response = self.fill_in(self.url, members__1__user=self.student.pk, members__1__role="student")

        self.assertContains(response, "errornote")
        self.assertEqual(self.group.members.count(), 1)

    def test_a_refusal_that_no_field_stands_for_is_told_above_the_form(self) -> None:
        """Somebody who was put in by another admin between the check of the form and the write."""
        friend = make_user()

        def put_in(*args: Any, **kwargs: Any) -> None:
            GroupMember.objects.create(group=self.group, user=friend)

        with patch("groups.admin.teams.write_group", put_in):
            response = self.fill_in(self.url, members__1__user=friend.pk, members__1__role="student")

        self.assertEqual(self.errors(response), {"__all__": [f"Already in this group: {friend.pk}."]})

    def test_somebody_leaves_and_the_record_keeps_their_name(self) -> None:
        task = make_task(make_milestone(self.group), assigned_to=self.student)

        with (
            patch("groups.services.holding.recheck_sockets") as recheck,
            self.captureOnCommitCallbacks(execute=True),
        ):
            self.fill_in(self.url, members__0__DELETE="on")

        task.refresh_from_db()
        self.assertEqual((self.group.members.count(), task.assigned_to), (0, None))
        recheck.assert_called_once_with(room=room_of_group(self.group.room))
        self.assertEqual(PastMember.objects.get().user, self.student)
        self.assertEqual(self.recorded(), [("member_removed", "TEAM")])
        self.assertContains(self.client.get(self.url), "Ada Lovelace")

    def test_milestones_come_change_and_go(self) -> None:
        kept, gone = make_milestone(self.group, title="Sow"), make_milestone(self.group)
        task = make_task(gone)

        self.fill_in(
            self.url,
            milestones__0__title="Plough",
            milestones__1__DELETE="on",
            milestones__2__title="Reap",
            milestones__2__due_date="2027-01-31",
        )

        plan = list(self.group.milestones.values_list("title", "order_index", "due_date"))
        self.assertEqual([(title, place) for title, place, _ in plan], [("Plough", 1), ("Reap", 2)])
        self.assertEqual(str(plan[1][2]), "2027-01-31")
        kept.refresh_from_db()
        self.assertEqual(kept.title, "Plough")
        self.assertIsNotNone(Milestone.everything.get(pk=gone.pk).removed_at)
        self.assertFalse(type(task).objects.exists())
        self.assertEqual(self.recorded(), [("milestone_removed", str(gone.pk))])

    @skipUnless(connection.vendor == "postgresql", "SQLite locks no rows.")
    def test_all_people_are_locked_before_the_group(self) -> None:
        friend = make_user()
        with CaptureQueriesContext(connection) as captured:
            self.fill_in(
                self.url,
                mentor=self.mentor.pk,
                members__0__DELETE="on",
                members__1__user=friend.pk,
                members__1__role="student",
            )

        locks = [query["sql"] for query in captured.captured_queries if "FOR NO KEY UPDATE" in query["sql"]]
        for person in (self.student, self.mentor, friend):
            self.assertRegex(locks[0], rf"\b{person.pk}\b")
        self.assertIn('FROM "users"', locks[0])
        self.assertEqual(self.group.members.get().user, friend)


class OverviewTests(GroupDeskCase):
    def test_only_of_an_active_group_it_is_said_that_nothing_is_amiss(self) -> None:
        Group.objects.filter(pk="TEAM").update(mentor=self.mentor, status="active")
        self.assertContains(self.client.get(self.url), "nothing is amiss")
        make_task(make_milestone(self.group), due_date="2020-01-31")

        for status in ("closed", "Paused", ""):
            with self.subTest(status):
                Group.objects.filter(pk="TEAM").update(status=status)
                self.assertNotContains(self.client.get(self.url), "nothing is amiss")


class ArchivingTests(GroupDeskCase):
    def test_the_selected_are_archived_and_the_page_says_for_how_long(self) -> None:
        with (
            patch("groups.services.teams.close_sockets") as close,
            self.captureOnCommitCallbacks(execute=True),
        ):
            shown = self.choose("archive", self.group)

        self.assertIn("1 archived. They can be restored for 30 days.", shown)
        self.assertFalse(Group.objects.exists())
        self.assertEqual(close.call_args.kwargs["room"], room_of_group(self.group.room))
        self.assertEqual(self.recorded(), [("group_archived", "TEAM")])

    def test_the_archived_are_hidden_until_somebody_asks_and_then_to_look_at_only(self) -> None:
        archive_group(make_group(id="OLD"), by=None)

        self.assertEqual((self.listed(Group), self.listed(Group, "?archived=yes")), ({"TEAM"}, {"OLD"}))
        old = page(Group, "change", "OLD")
        self.assertContains(self.client.get(old), "Archived at")
        self.assertEqual(self.client.post(old, {"name": "New"}).status_code, 403)

    def test_the_selected_are_restored(self) -> None:
        archive_group(self.group, by=None)

        self.assertIn("1 restored.", self.choose("restore", self.group, gone="archived"))

        self.assertTrue(Group.objects.exists())
        self.assertEqual(self.recorded(), [("group_restored", "TEAM")])

    def test_each_list_offers_what_makes_sense_there(self) -> None:
        for query, expected in (("", {"give_template", "archive"}), ("?archived=yes", {"restore"})):
            with self.subTest(query):
                form = context_of(self.client, LIST + query)["action_form"]
                names = {name for name, _ in form.fields["action"].choices if name}
                self.assertEqual(names, expected)

    def test_what_is_refused_meanwhile_is_counted(self) -> None:
        other = make_group(id="OTHER")

        def archive(group: Group, **kwargs: Any) -> None:
            if group == other:
                archive_group(other, by=None)
            archive_group(group, **kwargs)

        with patch("groups.admin.teams.ARCHIVE", replace(ARCHIVE, do=archive)):
            shown = self.choose("archive", self.group, other)

        self.assertIn("1 archived.", shown)
        self.assertIn("1 left as they were. Not found.", shown)

    def test_both_are_asked_first_with_the_number(self) -> None:
        old = make_group(id="OLD")
        archive_group(old, by=None)

        self.assertRegex(self.choose("archive", self.group, post=""), r"Archive 1 group\s*<")
        self.assertRegex(self.choose("restore", old, gone="archived", post=""), r"Restore 1 group\s*<")
        self.assertEqual([group.pk for group in Group.objects.all()], ["TEAM"])

    def test_more_than_the_bound_are_refused_in_words(self) -> None:
        other = make_group(id="OTHER")

        with patch("core.admin.confirming.MOST_AT_ONCE", 1):
            shown = self.choose("archive", self.group, other)

        self.assertIn("At most 1 at once.", shown)
        self.assertEqual(Group.objects.count(), 2)

    def test_a_choice_that_is_not_offered_is_none(self) -> None:
        archive_group(make_group(id="OLD"), by=None)

        for query in ("?archived=zz", "?archived="):
            with self.subTest(query):
                response = self.client.get(LIST + query)
                names = {name for name, _ in response.context["action_form"].fields["action"].choices if name}
                self.assertEqual(names, {"give_template", "archive"})
                self.assertEqual({group.pk for group in response.context["cl"].queryset}, {"TEAM"})

    def test_an_archived_group_is_chosen_nowhere(self) -> None:
        archive_group(make_group(id="OLD"), by=None)
        query = {"app_label": "groups", "model_name": "milestone", "field_name": "group"}

        found = self.client.get("/admin/autocomplete/", query).json()["results"]

        self.assertEqual([row["id"] for row in found], ["TEAM"])

    def test_nothing_is_deleted_here(self) -> None:
        response = self.client.post(page(Group, "delete", "TEAM"), {"post": "yes"})

        self.assertEqual(response.status_code, 403)
        self.assertNotIn("delete_selected", self.client.get(LIST).content.decode())


class WhoTests(GroupDeskCase):
    def test_staff_who_is_no_platform_admin_looks_and_does_not_write(self) -> None:
        self.sit_down(make_staff("view", "add", "change", "delete"))

        self.assertEqual(self.client.get(self.url).status_code, 200)
        self.assertEqual(self.client.get(ADD).status_code, 403)
        self.assertEqual(self.client.post(self.url, {"name": "New"}).status_code, 403)
        self.choose("archive", self.group)
        self.assertTrue(Group.objects.filter(pk="TEAM", name="Biofilm").exists())
        self.assertEqual(self.recorded(), [])

    def test_staff_without_a_permission_sees_nothing(self) -> None:
        self.sit_down(make_staff("nothing"))

        self.assertEqual([self.client.get(url).status_code for url in (LIST, self.url)], [403, 403])

    def test_a_platform_admin_of_the_staff_needs_no_permission(self) -> None:
        self.sit_down(make_staff("nothing", role="admin"))

        self.assertEqual(self.fill_in(self.url, name="New").status_code, 302)
        self.assertTrue(Group.objects.filter(name="New").exists())
        self.choose("archive", self.group)
        self.assertFalse(Group.objects.exists())

    def test_who_may_not_see_members_changes_the_group_all_the_same(self) -> None:
        staff = make_admin(is_staff=True)
        staff.user_permissions.set(make_staff("change").user_permissions.filter(codename="change_group"))
        self.sit_down(staff)

        self.assertEqual(self.fill_in(self.url, name="New").status_code, 302)
        self.assertTrue(Group.objects.filter(name="New").exists())


class CostTests(GroupDeskCase):
    def queries(self, url: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            self.assertEqual(self.client.get(url).status_code, 200)
        return len(captured)

    def grow(self, size: int) -> None:
        for _ in range(size):
            GroupMember.objects.create(group=self.group, user=make_user())
            PastMember.objects.create(group=self.group, user=make_user(), role="student")
            make_milestone(self.group)
            make_task(make_milestone(make_group(mentor=make_user(), members=[make_user()])), completed=True)

    def test_it_costs_the_same_however_large_the_group_and_however_many_there_are(self) -> None:
        pages = (self.url, LIST)
        self.grow(1)
        for url in pages:
            context_of(self.client, url)  # what is read once in the life of a process
        few = [self.queries(url) for url in pages]
        self.grow(19)

        self.assertEqual([self.queries(url) for url in pages], few)
        self.assertLessEqual(max(few), 15)

    def test_the_list_is_in_the_order_in_which_people_count_and_tells_how_far_groups_are(self) -> None:
        for pk in ("BTF10", "BTF9"):
            make_group(id=pk)
        step = make_milestone(self.group)
        for completed in (True, False, False):
            make_task(step, completed=completed)

        response = self.client.get(LIST)

        shown = cells(response, "group_id")
        self.assertEqual(shown, ["BTF9", "BTF10", "TEAM"])
        self.assertEqual(cells(response, "tasks")[-1], "1 of 3")
        self.assertEqual(cells(response, "members")[-1], "1")
