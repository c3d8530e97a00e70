"""``GET /api/groups/`` (CONTRACT 7.1), and who sees which (D1, D30)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from groups.models import Group, GroupMember
from groups.tests.cases import GroupCase, call, url
from groups.tests.factories import make_group
from users.tests.factories import make_link, make_superuser, make_user

if TYPE_CHECKING:
    from users.models import User


class ListCase(GroupCase):
    def rows(self, who: User | None = None, **query: Any) -> list[dict[str, Any]]:
        response = call(who or self.admin, "get", url("list"), **query)
        self.assertEqual((response.status_code, list(response.json())), (200, ["groups"]))
        rows: list[dict[str, Any]] = response.json()["groups"]
        return rows

    def ids(self, who: User | None = None, **query: Any) -> list[str]:
        return [row["id"] for row in self.rows(who, **query)]


class ListTests(ListCase):
    def test_a_row_is_a_summary_whose_members_are_a_number(self) -> None:
        self.assertEqual(
            self.rows(),
            [
                {
                    "id": "BTF046",
                    "name": "Biofilm Busters",
                    "members": 2,
                    "status": "active",
                    "mentor": {"id": self.mentor.pk, "name": "Max Planck"},
                    "track": "AUS-NSW",
                }
            ],
        )

    def test_the_mentor_counts_as_a_member_only_where_they_are_one(self) -> None:
        GroupMember.objects.create(group=self.group, user=self.mentor, role="mentor")

        self.assertEqual(self.rows()[0]["members"], 3)

    def test_an_empty_group_has_no_members_and_no_mentor(self) -> None:
        make_group(id="A")

        self.assertEqual((self.rows()[0]["members"], self.rows()[0]["mentor"]), (0, None))

    def test_ids_come_in_the_order_in_which_people_count(self) -> None:
        ids = ["BTF2", "btf3", "BTF010", "BTF100", "BTF999", "BTF1000", "BTF0007", "a", "B-2", "B-10", "Z9-b"]
        for group_id in ids:
            make_group(id=group_id)

        self.assertEqual(
            self.ids(),
            [
                *("a", "B-2", "B-10", "BTF2", "btf3", "BTF0007", "BTF010", "BTF046", "BTF100"),
                *("BTF999", "BTF1000", "Z9-b"),
            ],
        )

    def test_it_is_not_in_pages(self) -> None:
        Group.objects.bulk_create(Group(id=f"MANY{n}", name="x") for n in range(150))

        self.assertEqual(len(self.rows(page="9", page_size="1")), 151)


class WhoSeesWhatTests(ListCase):
    """CONTRACT D1, D30: each sees in the list what they may open, and nothing else."""

    def setUp(self) -> None:
        super().setUp()
        self.other = make_group(id="OTHER", members=[self.outsider])

    def assert_sees(self, who: User, *ids: str) -> None:
        self.assertEqual(self.ids(who), sorted(ids))
        self.assertEqual([pk for pk in ("BTF046", "OTHER") if self.sees(who, Group(pk=pk))], sorted(ids))

    def test_admins_see_all(self) -> None:
        self.assert_sees(self.admin, "BTF046", "OTHER")
        self.assert_sees(make_superuser(), "BTF046", "OTHER")

    def test_members_and_the_mentor_see_theirs(self) -> None:
        for who in (self.student, self.friend, self.mentor):
            self.assert_sees(who, "BTF046")
        self.assert_sees(self.outsider, "OTHER")

    def test_staff_and_supervisors_without_students_see_none(self) -> None:
        """B47."""
        for who in (make_user(is_staff=True), make_user(role="supervisor"), make_user(role="mentor")):
            self.assert_sees(who)

    def test_a_supervisor_sees_the_groups_of_linked_students_by_any_kind_of_link(self) -> None:
        for kind in ("supervisor", "guardian", "mentor"):
            with self.subTest(kind):
                supervisor = make_user(role="supervisor")
                make_link(self.student, supervisor, relationship_type=kind, join_permission_granted=False)
                self.assert_sees(supervisor, "BTF046")

    def test_a_link_opens_nothing_to_a_mentor_and_nothing_to_the_student(self) -> None:
        mentor = make_user(role="mentor", status="active")
        make_link(self.student, mentor)
        make_link(make_user(), self.outsider)

        self.assert_sees(mentor)
        self.assert_sees(self.outsider, "OTHER")

    def test_a_supervisor_sees_a_group_once_however_many_ways_lead_there(self) -> None:
        supervisor = make_user(role="supervisor")
        make_link(self.student, supervisor)
        make_link(self.student, supervisor, relationship_type="guardian")
        make_link(self.friend, supervisor)
        GroupMember.objects.create(group=self.group, user=supervisor, role="supervisor")
        Group.objects.filter(pk=self.group.pk).update(mentor=supervisor)

        self.assert_sees(supervisor, "BTF046")

    def test_a_mentor_who_has_another_role_by_now_still_sees_the_group(self) -> None:
        Group.objects.filter(pk="OTHER").update(mentor=self.student)

        self.assert_sees(self.student, "BTF046", "OTHER")

    def test_pending_people_see_theirs(self) -> None:
        self.assertEqual(self.student.status, "pending")
        self.assert_sees(self.student, "BTF046")


class FilterTests(ListCase):
    def setUp(self) -> None:
        super().setUp()
        make_group(id="C", track="", status="Active")
        make_group(id="D", track="aus-nsw", status="On hold")

    def test_a_track_is_the_same_in_any_case_and_leaves_out_who_has_none(self) -> None:
        """CONTRACT 1.7."""
        for track in ("AUS-NSW", " aus-Nsw "):
            with self.subTest(track):
                self.assertEqual(self.ids(track=track), ["BTF046", "D"])

    def test_blank_and_global_are_every_track(self) -> None:
        for track in ("", "  ", "global", "GLOBAL "):
            with self.subTest(track):
                self.assertEqual(self.ids(track=track), ["BTF046", "C", "D"])

    def test_a_status_is_the_same_in_any_case(self) -> None:
        for status, ids in ((" ACTIVE ", ["BTF046", "C"]), ("on HOLD", ["D"]), ("", ["BTF046", "C", "D"])):
            with self.subTest(status):
                self.assertEqual(self.ids(status=status), ids)

    def test_both_narrow_together(self) -> None:
        self.assertEqual(self.ids(status="active", track="AUS-NSW"), ["BTF046"])

    def test_what_does_not_exist_finds_none(self) -> None:
        nothing: list[dict[str, Any]] = [{"status": "global"}, {"status": "x" * 5_000}]
        nothing += [{"track": "%"}, {"track": "AUS"}]
        for query in nothing:
            with self.subTest(query=query):
                self.assertEqual(self.ids(**query), [])

    def test_a_filter_shows_nobody_more_than_they_may_see(self) -> None:
        self.assertEqual(self.ids(self.student, track="aus-nsw"), ["BTF046"])
        self.assertEqual(self.ids(self.outsider, status="active"), [])

    def test_a_nul_is_refused_by_name(self) -> None:
        for field in ("track", "status"):
            with self.subTest(field):
                self.assert_refused(call(self.admin, "get", url("list"), **{field: "a\0"}), 400, field)
