"""Ids of groups: chosen, made, never given out twice (CONTRACT 7, 7.4; B41, B42, B43)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from groups.models import Group, GroupNumber
from groups.tests.cases import GroupCase, call, purge, url
from groups.tests.factories import make_group


class IdCase(GroupCase):
    def create(self, **body: Any) -> Any:
        return call(self.admin, "post", url("list"), {"name": "Team", **body})

    def new_id(self, **body: Any) -> str:
        response = self.create(**body)
        self.assertEqual(response.status_code, 201, response.content)
        return str(response.json()["id"])

    def delete(self, group_id: str) -> None:
        self.assertEqual(call(self.admin, "delete", url("detail", group_id)).status_code, 204)


class ChosenIdTests(IdCase):
    def test_an_id_is_taken_as_it_is_written(self) -> None:
        for group_id in ("a", "0", "Team_A-1", "BTF47", "x" * 50, "My-Group"):
            with self.subTest(group_id):
                self.assertEqual(self.new_id(groupId=group_id), group_id)
                self.assertTrue(self.sees(self.admin, Group(pk=group_id)))

    def test_space_around_it_is_not_part_of_it(self) -> None:
        self.assertEqual(self.new_id(groupId="  BTF900\n"), "BTF900")

    def test_what_paths_and_rooms_cannot_carry_is_refused(self) -> None:
        """B43."""
        for group_id in (
            *("x.y", "a/b", "a/b c", "Team A", "..", ".", "-x", "_x", "é", "ＢＴＦ", "١٢٣", "x" * 51),  # noqa: RUF001
            *("a\0b", "a\nb", "a%2Fb", "a?b", "a#b", "a:b", "Team\u200b", "🧬", "x" * 5_000),
        ):
            with self.subTest(group_id[:20]):
                self.assert_refused(self.create(groupId=group_id), 400, "groupId")
        self.assertEqual(Group.everything.count(), 1)

    def test_a_word_of_the_paths_is_refused_in_any_case(self) -> None:
        """B43."""
        for group_id in ("my-groups", "My-Groups", "MY-GROUPS"):
            with self.subTest(group_id):
                self.assert_refused(self.create(groupId=group_id), 400, "groupId")

    def test_no_two_differ_in_case_alone(self) -> None:
        for group_id in ("BTF046", "btf046", "Btf046"):
            with self.subTest(group_id):
                self.assert_refused(self.create(groupId=group_id), 400, "groupId")

    def test_an_archived_id_is_taken_and_so_is_one_that_was_purged(self) -> None:
        """B42, CONTRACT D29."""
        self.delete("BTF046")
        self.assert_refused(self.create(groupId="btf046"), 400, "groupId")

        purge()

        self.assertFalse(Group.everything.exists())
        for group_id in ("BTF046", "btf046"):
            self.assert_refused(self.create(groupId=group_id), 400, "groupId")


class MadeIdTests(IdCase):
    def test_they_are_numbers_with_three_digits_or_more(self) -> None:
        self.assertEqual([self.new_id() for _ in range(3)], ["BTF001", "BTF002", "BTF003"])
        GroupNumber.objects.update(last=998)
        self.assertEqual([self.new_id() for _ in range(2)], ["BTF999", "BTF1000"])

    def test_null_and_blank_ask_for_one(self) -> None:
        for number, sent in enumerate((None, "", "  "), start=1):
            self.assertEqual(self.new_id(groupId=sent), f"BTF00{number}")

    def test_those_that_were_chosen_are_skipped_in_any_case(self) -> None:
        """CONTRACT D28."""
        make_group(id="BTF001")
        make_group(id="btf002")
        Group.objects.bulk_create(Group(id=f"BTF{n:03}", name="x") for n in range(4, 46))

        self.assertEqual([self.new_id(), self.new_id()], ["BTF003", "BTF047"])

    def test_a_row_of_hundreds_that_were_chosen_is_skipped(self) -> None:
        Group.objects.bulk_create(
            Group(id=f"BTF{n:03}", name="x") for n in range(1, 400) if n not in {46, 101}
        )

        self.assertEqual([self.new_id(), self.new_id()], ["BTF101", "BTF400"])

    def test_other_spellings_of_a_number_are_other_ids(self) -> None:
        make_group(id="BTF1")
        make_group(id="BTF0001")

        self.assertEqual(self.new_id(), "BTF001")

    def test_none_is_given_out_again_after_deleting(self) -> None:
        """B42."""
        self.delete(self.new_id())

        self.assertEqual(self.new_id(), "BTF002")

    def test_none_is_given_out_again_after_purging(self) -> None:
        """B42."""
        ids = [self.new_id(), self.new_id(groupId="BTF002")]
        for group_id in ids:
            self.delete(group_id)
        purge()
        self.assertEqual(list(Group.everything.values_list("pk", flat=True)), ["BTF046"])

        self.assertEqual(self.new_id(), "BTF003")

    def test_none_is_given_out_again_whoever_deleted_the_row(self) -> None:
        """B42: the admin site and the shell delete rows at once."""
        make_group(id="BTF001").delete()
        make_group(id="btf002")
        Group.objects.filter(pk="btf002").delete()
        make_group(id="BTF003", archived_at=timezone.now())
        Group.everything.filter(pk="BTF003").delete()

        self.assertEqual(self.new_id(), "BTF004")

    def test_a_refused_group_uses_no_number_up(self) -> None:
        self.assertEqual(self.create(members=[{"userId": 2**62}]).status_code, 400)

        self.assertEqual(self.new_id(), "BTF001")
