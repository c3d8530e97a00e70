"""Who is erased does not come back by an import, and an import survives that somebody is erased."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.utils import timezone

from users.addresses import address_key
from users.models import ImportRow, PeopleImport, User, UserProfile
from users.models.imports import ErasedAddress
from users.services.erasure import erase_person
from users.services.import_rows import hold_people
from users.services.imports import prune_imports
from users.tests.factories import make_user
from users.tests.importing import ImportTestCase, url

ERASED = "This address belongs to somebody who was erased."
GUARDIAN = "guardian@example.org"


class ErasedAddressTests(ImportTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.guardian = make_user(email=GUARDIAN)
        self.student = make_user(email="student@example.org")
        self.profile = UserProfile.objects.create(user=self.student, supervisor_email="Guardian@Example.org")

    def stored(self) -> tuple[str, str]:
        self.profile.refresh_from_db()
        return self.profile.guardian_email, self.profile.supervisor_email

    def test_a_file_that_was_checked_before_does_not_bring_it_back(self) -> None:
        rows = [["student@example.org", "Guardian@example.org", "3"], ["new@example.org", GUARDIAN, ""]]
        body = self.checked(["email", "guardianEmail", "yearLevel"], *rows)
        erase_person(self.guardian, by=self.admin)

        after = self.step("commit", body["id"])

        self.assertEqual(self.stored(), ("", ""))
        self.assertEqual(UserProfile.objects.get(user=self.student).year_level, 3)
        self.assertEqual(User.objects.get(email="new@example.org").profile.guardian_email, "")
        self.assertEqual(
            after["remarks"],
            [{"line": line, "field": "guardianEmail", "reason": ERASED} for line in (2, 3)],
        )
        self.assertEqual(self.counts(after), (1, 1, 0, 0))

    def test_an_undo_does_not_bring_it_back(self) -> None:
        body = self.imported(["email", "supervisorEmail"], ["student@example.org", "other@example.org"])
        self.assertEqual(self.stored(), ("", "other@example.org"))
        erase_person(self.guardian, by=self.admin)

        after = self.step("undo", body["id"])

        self.assertEqual(self.stored(), ("", ""))
        self.assertEqual(after["progress"]["undone"], 1)
        self.assertEqual(after["remarks"], [{"line": 2, "field": "supervisorEmail", "reason": ERASED}])

    def test_a_file_that_is_checked_later_may_name_it(self) -> None:
        self.checked(["email"], ["bob@example.org"])
        erase_person(self.guardian, by=self.admin)

        after = self.imported(["email", "guardianEmail"], ["student@example.org", GUARDIAN])

        self.assertEqual((self.stored()[0], after["remarks"]), (GUARDIAN, []))

    def test_it_costs_one_query_however_many_rows_name_somebody(self) -> None:
        def queries(count: int) -> int:
            rows = [[f"n{count}-{n}@example.org", f"parent{n}@example.org"] for n in range(count)]
            with patch.object(ErasedAddress, "objects", wraps=ErasedAddress.objects) as asked:
                self.imported(["email", "guardianEmail"], *rows)
            return int(asked.filter.call_count)

        self.assertEqual((queries(2), queries(12)), (1, 1))

    def test_it_is_known_by_a_digest_and_for_two_days(self) -> None:
        erase_person(make_user(), by=self.admin)
        self.assertFalse(ErasedAddress.objects.exists())  # no import holds anything
        self.checked(["email"], ["bob@example.org"])
        erase_person(self.guardian, by=self.admin)
        self.assertEqual(ErasedAddress.objects.get().address_key, address_key(GUARDIAN))

        for hours, left in ((49, 1), (51, 0)):
            ErasedAddress.objects.update(erased_at=timezone.now() - timedelta(hours=hours))
            prune_imports()
            self.assertEqual(ErasedAddress.objects.count(), left)

    def test_an_undo_remembers_none_of_whom_it_takes_back(self) -> None:
        rows = [["email", "guardianEmail"], ["a@example.org", "b@example.org"], ["b@example.org", ""]]
        waiting = self.checked(["email", "guardianEmail"], ["student@example.org", "b@example.org"])
        self.step("undo", self.imported(*rows)["id"])

        self.assertFalse(ErasedAddress.objects.exists())
        self.step("commit", waiting["id"])
        self.assertEqual(self.stored()[0], "b@example.org")


class CountTests(ImportTestCase):
    def test_rows_that_go_with_somebody_are_not_counted_any_more(self) -> None:
        ada, bob = make_user(email="ada@example.org"), make_user(email="bob@example.org")
        header = ["email", "firstName", "yearLevel"]
        rows = [["ada@example.org", "Ada", ""], ["bob@example.org", "", "99"], ["new@example.org", "", ""]]
        body = self.checked(header, *rows)

        for person, counts in ((bob, (1, 1, 0, 0)), (ada, (1, 0, 0, 0))):
            with self.captureOnCommitCallbacks(execute=True):
                erase_person(person, by=self.admin)
            after = self.client.get(url("detail", body["id"])).json()
            self.assertEqual((self.counts(after), after["counts"]["total"]), (counts, sum(counts)))
        self.assertEqual(after["progress"]["waiting"], 1)

    def test_what_remained_of_an_old_import_is_not_counted_again(self) -> None:
        ada = make_user(email="ada@example.org")
        body = self.checked(["email", "track"], ["ada@example.org", "Peru"])
        then = timezone.now() - timedelta(hours=26)
        PeopleImport.objects.update(created_at=then)

        with self.captureOnCommitCallbacks(execute=True):
            erase_person(ada, by=self.admin)

        self.assertEqual(self.client.get(url("detail", body["id"])).json()["counts"], body["counts"])


class ErasedMeanwhileTests(ImportTestCase):
    """Somebody is erased while a step waits for their lock."""

    def test_their_row_is_left_out_and_the_others_are_written(self) -> None:
        people = [make_user(email=f"p{number}@example.org") for number in range(3)]
        body = self.checked(["email", "track"], *([person.email, "Peru"] for person in people))

        def erased_first(*args: Any, **kwargs: Any) -> User:
            if User.objects.filter(pk=people[1].pk).exists():
                erase_person(people[1], by=self.admin)
            return hold_people(*args, **kwargs)

        with patch("users.services.import_writing.hold_people", erased_first):
            after = self.step("commit", body["id"])

        self.assertEqual((after["state"], after["progress"]["written"]), ("committed", 2))
        self.assertEqual(User.objects.filter(track="Peru").count(), 2)
        self.assertEqual(ImportRow.objects.count(), 2)

    def test_an_undo_goes_on_without_them(self) -> None:
        body = self.imported(["email"], *([f"n{number}@example.org"] for number in range(3)))

        def erased_first(*args: Any, **kwargs: Any) -> User:
            for person in User.objects.filter(email="n1@example.org"):
                erase_person(person, by=self.admin)
            return hold_people(*args, **kwargs)

        with patch("users.services.import_undoing.hold_people", erased_first):
            after = self.step("undo", body["id"])

        self.assertEqual((after["state"], after["progress"]["undone"]), ("undone", 2))
        self.assertEqual(User.objects.count(), 1)
