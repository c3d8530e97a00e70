"""A commit writes each row once, however often it is asked for and wherever it is killed."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from unittest.mock import call, patch

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DataError, OperationalError, connection
from django.test import TransactionTestCase, override_settings, skipUnlessDBFeature
from django.utils import timezone

from authentication.tests.signing_in import signed_in_client
from core.models import AuditEvent
from core.refusals import Forbidden, SignedOut
from core.sealing import unseal
from core.tasks import Abandoned, background
from core.testing import in_parallel
from users.access import NotYours
from users.models import ImportRow, PeopleImport, User, UserProfile
from users.services.accounts import AddressTaken, create_account
from users.services.erasure import erase_person
from users.services.import_writing import planned, write_next_rows
from users.services.imports import check_file, prune_imports, start_commit
from users.tasks import commit_import
from users.tests.factories import make_admin, make_superuser, make_user
from users.tests.importing import ImportTestCase, check, csv_of, url

if TYPE_CHECKING:
    from users.spreadsheets.planning import Plan


order: list[str] = []
five_at_once = patch("users.services.import_writing.ROWS_AT_ONCE", 5)


def numbered(count: int) -> list[list[str]]:
    return [["email"], *([f"n{number}@example.org"] for number in range(count))]


class CommitTests(ImportTestCase):
    def test_rows_become_accounts_and_changes(self) -> None:
        bob = make_user(email="bob@example.org", track="Brazil")

        body = self.imported(
            ["email", "role", "firstName", "yearLevel", "areasOfInterest", "wwccExpiry", "wwccVerified"],
            ["Ada@example.org", "Mentor", "Ada", "", "bees;genes", "2031-04-05", "yes"],
            ["bob@example.org", "", "Bob", "7", "", "", ""],
        )

        ada = User.objects.get(email="ada@example.org")
        self.assertEqual(
            (ada.role, ada.status, ada.name, ada.has_usable_password()), ("mentor", "pending", "Ada", False)
        )
        self.assertEqual(ada.profile.areas_of_interest, ["bees", "genes"])
        self.assertTrue(ada.supervisor_profile.wwcc_verified)
        bob.refresh_from_db()
        self.assertEqual((bob.first_name, bob.profile.year_level, bob.track), ("Bob", 7, "Brazil"))
        self.assertEqual((body["state"], body["progress"]["written"]), ("committed", 2))
        self.assertIsNotNone(body["committedAt"])

    def test_it_is_recorded_as_counts(self) -> None:
        self.imported(["email"], ["ada@example.org"], ["nobody"])

        event = AuditEvent.objects.get(action="people_import_committed")
        self.assertEqual(
            (event.actor_id, event.changes["create"], event.changes["rejected"]), (self.admin.pk, 1, 1)
        )

    def test_the_same_file_again_changes_nothing(self) -> None:
        rows = [["email", "firstName", "areasOfInterest"], ["ada@example.org", "Ada", "bees;genes"]]
        self.imported(*rows)

        again = self.imported(*rows)

        self.assertEqual(self.counts(again), (0, 0, 1, 0))
        self.assertEqual((again["state"], again["progress"]["written"]), ("committed", 0))

    def test_a_changed_address_is_found_again_under_the_new_one(self) -> None:
        ada = make_user(email="ada@example.org")
        rows = [["email", "newEmail"], ["ada@example.org", "Countess@example.org"]]
        self.imported(*rows, changeAddress=True)

        ada.refresh_from_db()
        self.assertEqual((ada.email, ada.username), ("countess@example.org", "countess@example.org"))
        self.assertEqual(self.counts(self.imported(*rows, changeAddress=True)), (0, 0, 1, 0))
        self.assertEqual(User.objects.count(), 2)

    def test_role_and_status_change_with_their_flags(self) -> None:
        ada = make_user(email="ada@example.org")
        rows = [["email", "role", "status"], ["ada@example.org", "mentor", "active"]]

        self.imported(*rows, changeStatus=True)
        ada.refresh_from_db()
        self.assertEqual((ada.role, ada.status), ("student", "active"))

        self.imported(*rows, changeRole=True)
        ada.refresh_from_db()
        self.assertEqual((ada.role, ada.status), ("mentor", "active"))

    def test_an_empty_cell_leaves_what_is_stored(self) -> None:
        ada = make_user(email="ada@example.org", track="Brazil")
        UserProfile.objects.create(user=ada, bio="Bees")

        self.imported(["email", "track", "bio", "country"], ["ada@example.org", "", "", "Peru"])

        self.assertEqual(User.objects.get(pk=ada.pk).track, "Brazil")
        self.assertEqual((ada.profile.bio, UserProfile.objects.get(user=ada).country), ("Bees", "Peru"))

    def test_a_commit_of_what_is_written_does_nothing_more(self) -> None:
        body = self.imported(["email"], ["ada@example.org"])

        self.assertEqual(self.step("commit", body["id"])["committedAt"], body["committedAt"])
        self.assertEqual(AuditEvent.objects.filter(action="people_import_committed").count(), 1)

    def test_task_arguments_name_nobody(self) -> None:
        body = self.checked(["email"], ["ada@example.org"])

        with patch("core.tasks.import_string") as task, self.captureOnCommitCallbacks(execute=True):
            self.client.post(url("commit", body["id"]))

        task.return_value.enqueue.assert_called_once_with(import_id=body["id"])


class WorldThatChangedTests(ImportTestCase):
    """Between check and commit others go on."""

    def test_somebody_who_signed_in_since_is_not_made_twice_and_keeps_role_and_status(self) -> None:
        body = self.checked(["email", "role", "firstName"], ["ada@example.org", "admin", "Ada"])
        ada = make_user(email="ada@example.org")

        after = self.step("commit", body["id"])

        ada.refresh_from_db()
        self.assertEqual((ada.role, ada.first_name), ("student", "Ada"))
        self.assertEqual(self.counts(after), (0, 1, 0, 0))

    def test_somebody_who_has_moved_is_not_made_anew(self) -> None:
        ada = make_user(email="ada@example.org")
        body = self.checked(["email", "firstName"], ["ada@example.org", "Ada"])
        User.objects.filter(pk=ada.pk).update(email="moved@example.org")

        after = self.step("commit", body["id"])

        self.assertEqual(self.counts(after), (0, 0, 0, 1))
        self.assertFalse(User.objects.filter(email="ada@example.org").exists())

    def test_nobody_commits_the_loss_of_their_own_rights(self) -> None:
        other = make_admin(email="other@example.org")
        body = self.checked(["email", "role"], ["other@example.org", "student"], changeRole=True)
        self.assertEqual(self.counts(body), (0, 1, 0, 0))
        self.client.force_authenticate(other)

        after = self.step("commit", body["id"])

        self.assertEqual(self.counts(after), (0, 0, 0, 1))
        self.assertEqual(User.objects.get(pk=other.pk).role, "admin")

    def test_who_commits_is_judged_and_not_who_checked(self) -> None:
        root = make_superuser(email="root@example.org")
        self.client.force_authenticate(root)
        body = self.checked(["email", "track"], ["root@example.org", "x"])
        self.client.force_authenticate(self.admin)

        after = self.step("commit", body["id"])

        self.assertEqual(self.counts(after), (0, 0, 0, 1))
        self.assertEqual(User.objects.get(pk=root.pk).track, "")

    def test_an_admin_who_is_none_any_more_writes_nothing_and_another_goes_on(self) -> None:
        body = self.checked(["email"], ["ada@example.org"])
        self.client.post(url("commit", body["id"]))
        User.objects.filter(pk=self.admin.pk).update(role="student")
        with self.assertRaises(Abandoned):
            commit_import.func(import_id=body["id"])
        self.assertFalse(User.objects.filter(email="ada@example.org").exists())

        self.client.force_authenticate(make_admin())

        self.assertEqual(self.step("commit", body["id"])["state"], "committed")

    def test_who_loses_their_rights_while_rows_are_written_stops_the_import(self) -> None:
        body = self.checked(*numbered(2))
        self.client.post(url("commit", body["id"]))
        for refusal in (Forbidden(), SignedOut()):
            with (
                self.subTest(refusal),
                patch("users.services.import_writing.create_account", side_effect=refusal),
                self.assertRaises(Abandoned),
            ):
                commit_import.func(import_id=body["id"])

        self.assertEqual(self.step("commit", body["id"])["progress"]["written"], 2)

    def test_who_is_out_of_reach_is_rejected_and_holds_up_no_other(self) -> None:
        make_user(email="ada@example.org")
        body = self.checked(["email", "track"], ["ada@example.org", "x"], ["new@example.org", ""])

        with patch("users.services.import_writing.change_account", side_effect=NotYours):
            after = self.step("commit", body["id"])

        self.assertEqual(self.counts(after), (1, 0, 0, 1))

    def test_somebody_made_at_this_very_moment_is_changed_instead(self) -> None:
        body = self.checked(["email", "role", "track"], ["ada@example.org", "mentor", "Peru"])

        def overtaken(*args: Any) -> Plan:
            plan = planned(*args)
            User.objects.filter(email="ada@example.org").exists() or make_user(email="ada@example.org")
            return plan

        with patch("users.services.import_writing.planned", overtaken):
            after = self.step("commit", body["id"])

        ada = User.objects.get(email="ada@example.org")
        self.assertEqual((ada.track, ada.role), ("Peru", "student"))
        self.assertEqual((self.counts(after), after["faults"]), ((0, 1, 0, 0), []))

    def test_somebody_erased_since_takes_their_rows_along(self) -> None:
        ada = make_user(email="ada@example.org")
        self.checked(["email", "firstName", "yearLevel"], ["ada@example.org", "Ada", ""])
        self.checked(["email", "firstName", "yearLevel"], ["ada@example.org", "Ada", "99"])

        erase_person(ada, by=self.admin)

        self.assertFalse(ImportRow.objects.exists())


@five_at_once
@override_settings(EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend")
class TurnTests(ImportTestCase):
    """A worker is not held for as long as an import lasts: sign-in mails wait behind it."""

    def setUp(self) -> None:
        super().setUp()
        self.batch = self.checked(*numbered(12))["id"]
        start_commit(self.batch, by=self.admin)
        patcher = patch("core.turns.enqueue")
        self.enqueue = patcher.start()
        self.addCleanup(patcher.stop)

    def turn(self) -> int:
        """Run the task once, and return how many people there are then."""
        commit_import.func(import_id=self.batch)
        return int(User.objects.exclude(pk=self.admin.pk).count())

    def test_a_run_ends_when_its_time_is_over_and_queues_up_anew(self) -> None:
        with patch("core.turns.TURN_SECONDS", 0):
            self.assertEqual([self.turn() for _ in range(4)], [5, 10, 12, 12])

        again = call("users.tasks.commit_import", import_id=self.batch)
        self.assertEqual(self.enqueue.call_args_list, [again] * 3)

    def test_a_short_import_needs_one_run(self) -> None:
        with patch("core.turns.monotonic", return_value=0.0):
            self.assertEqual(self.turn(), 12)

        self.enqueue.assert_not_called()

    def failing_after(self, steps: int) -> Any:
        done = 0

        def step(import_id: int) -> bool:
            nonlocal done
            done += 1
            if done > steps:
                raise OperationalError
            return write_next_rows(import_id)

        return patch("users.tasks.write_next_rows", step)

    def test_a_fault_after_progress_uses_up_no_try(self) -> None:
        with self.failing_after(1):
            self.assertEqual(self.turn(), 5)

        self.enqueue.assert_called_once_with("users.tasks.commit_import", import_id=self.batch)

    def test_a_fault_without_progress_is_one_try(self) -> None:
        with self.failing_after(0), patch.object(type(commit_import), "enqueue") as retry:
            self.turn()

        retry.assert_called_once_with(attempt=2, import_id=self.batch)
        self.enqueue.assert_not_called()


@background(queue="sign-in", priority=100)
def send_mail() -> None:
    order.append("mail")


@skipUnless(connection.vendor == "postgresql", "The queue of rows is the production profile's.")
@five_at_once
@override_settings(EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend")
class OneWorkerTests(TransactionTestCase):
    """The real worker on the real table."""

    def test_a_mail_that_comes_while_an_import_is_written_does_not_wait_for_its_end(self) -> None:
        order.clear()
        admin = make_admin()
        batch = check_file(SimpleUploadedFile("x.csv", csv_of(*numbered(12))), by=admin, flags={})

        def step(import_id: int) -> bool:
            if not order:
                send_mail.enqueue()
            order.append("rows")
            return write_next_rows(import_id)

        with (
            patch("core.turns.TURN_SECONDS", 0),
            patch("users.tasks.write_next_rows", step),
            patch("django_tasks_db.management.commands.db_worker.Worker.configure_signals"),
        ):
            start_commit(batch.pk, by=admin)
            call_command(
                "db_worker", batch=True, startup_delay=False, queue_name="*", interval=0, verbosity=0
            )

        self.assertEqual(order, ["rows", "mail", "rows", "rows", "rows"])
        batch.refresh_from_db()
        self.assertEqual((batch.state, batch.counts["written"]), ("committed", 12))


@five_at_once
class KilledWorkerTests(ImportTestCase):
    def test_the_next_run_goes_on_without_doubles(self) -> None:
        body = self.checked(*numbered(12))
        made = 0

        def killed(**kwargs: Any) -> User:
            nonlocal made
            made += 1
            if made > 7:
                raise KeyboardInterrupt
            return create_account(**kwargs)

        self.client.post(url("commit", body["id"]))
        with (
            patch("users.services.import_writing.create_account", killed),
            self.assertRaises(KeyboardInterrupt),
        ):
            commit_import.func(import_id=body["id"])
        self.assertEqual(User.objects.exclude(pk=self.admin.pk).count(), 5)
        halfway = self.client.get(url("detail", body["id"])).json()
        self.assertEqual((halfway["state"], halfway["progress"]["written"]), ("committing", 5))

        after = self.step("commit", body["id"])

        self.assertEqual((after["state"], after["progress"]["written"]), ("committed", 12))
        self.assertEqual(User.objects.exclude(pk=self.admin.pk).count(), 12)
        self.assertEqual(AuditEvent.objects.filter(action="user_created").count(), 12)

    def test_one_row_that_cannot_be_written_holds_up_no_other(self) -> None:
        for failure, part in (
            (AddressTaken(field="email"), "exists already"),
            (DataError("secret"), "stored"),
        ):

            def failing(failure: Exception = failure, **kwargs: Any) -> User:
                if kwargs["account"]["email"] == "n1@example.org":
                    raise failure
                return create_account(**kwargs)

            with self.subTest(part), patch("users.services.import_writing.create_account", failing):
                body = self.checked(*numbered(3))
                after = self.step("commit", body["id"])

                self.assertEqual(after["counts"]["rejected"], 1)
                self.assertIn(part, after["faults"][0]["reason"])
                self.assertEqual(User.objects.filter(email__startswith="n").count(), 2)


class ExpiryTests(ImportTestCase):
    def age(self, import_id: int, hours: int) -> None:
        then = timezone.now() - timedelta(hours=hours)
        PeopleImport.objects.filter(pk=import_id).update(created_at=then)
        PeopleImport.objects.filter(pk=import_id).exclude(committed_at=None).update(committed_at=then)

    def code(self, action: str, import_id: int) -> tuple[int, str]:
        response = self.client.post(url(action, import_id))
        return response.status_code, response.json()["code"]

    def test_after_a_day_nothing_is_committed_or_undone(self) -> None:
        waiting, written = self.checked(*numbered(1))["id"], self.imported(*numbered(1))["id"]
        for each in (waiting, written):
            self.age(each, 25)

        self.assertEqual(self.code("commit", waiting), (409, "import_expired"))
        self.assertEqual(self.code("undo", written), (409, "import_expired"))

    def test_pruning_deletes_rows_and_keeps_the_counts(self) -> None:
        body = self.imported(["email", "Shoe size"], ["ada@example.org", "40"], ["nobody", ""])
        fresh = self.checked(*numbered(1))["id"]
        self.age(body["id"], 26)

        self.assertEqual(prune_imports(), {"rows": 2, "imports": 0})

        after = self.client.get(url("detail", body["id"])).json()
        self.assertEqual((after["counts"], after["faultsTotal"]), (body["counts"], 1))
        self.assertEqual((after["faults"], after["ignoredColumns"], after["filename"]), ([], [], ""))
        self.assertEqual(PeopleImport.objects.get(pk=body["id"]).sheet, "")
        self.assertEqual(ImportRow.objects.get().batch_id, fresh)
        self.assertEqual(self.client.get(url("rejected", body["id"])).status_code, 409)

    def test_after_ninety_days_nothing_is_left(self) -> None:
        body = self.imported(*numbered(1))
        self.age(body["id"], 24 * 91)

        prune_imports()

        self.assertEqual(self.client.get(url("detail", body["id"])).status_code, 404)

    def test_a_commit_that_was_begun_in_time_may_end(self) -> None:
        body = self.checked(*numbered(1))
        start_commit(body["id"], by=self.admin)
        self.age(body["id"], 24)

        self.assertTrue(write_next_rows(body["id"]))


class RejectedRowsTests(ImportTestCase):
    def download(self, import_id: int) -> bytes:
        response: Any = self.client.get(url("rejected", import_id))
        self.assertEqual(response.headers["Content-Type"], "text/csv; charset=utf-8")
        return b"".join(response.streaming_content)

    def test_they_are_mended_and_sent_again(self) -> None:
        body = self.checked(
            ["email", "yearLevel", "bio", "x"],
            ["good@example.org", "1", "", ""],
            ["ada@example.org", "99", "Zoë, says", "=1"],
            ["bob@example", "1", "", ""],
        )

        mended = (
            self.download(body["id"]).replace(b",99,", b",9,").replace(b"bob@example,", b"bob@example.org,")
        )

        again = check(self.client, mended).json()
        self.assertEqual((self.counts(again), again["ignoredColumns"]), ((2, 0, 0, 0), ["x"]))

    def test_they_are_led_by_line_and_reason_and_run_nowhere(self) -> None:
        body = self.checked(["email", "bio"], ["ada@example.org", "=cmd|' /C calc'!A0"])

        again = check(self.client, self.download(body["id"]).replace(b"'=cmd", b"=cmd")).json()
        text = self.download(again["id"]).decode("utf-8-sig")

        header, row = csv.reader(io.StringIO(text))
        self.assertEqual(header, ["Line", "Reason", "email", "bio"])
        self.assertEqual((row[0], row[3]), ("2", "'=cmd|' /C calc'!A0"))
        self.assertTrue(row[1].startswith("bio: "))

    def test_a_download_is_recorded(self) -> None:
        self.download(self.checked(["email"], ["nobody"])["id"])

        event = AuditEvent.objects.get(action="people_import_rejected_rows_read")
        self.assertEqual((event.actor_id, event.changes), (self.admin.pk, {"rows": 1}))


class SealedTests(ImportTestCase):
    def test_nothing_personal_stands_in_plain_text_after_a_commit(self) -> None:
        make_user(email="bob@example.org", first_name="Robert")
        self.imported(["email", "firstName"], ["ada@example.org", "Lovelace"], ["bob@example.org", "Bobby"])

        stored = str(
            [*ImportRow.objects.values(), *PeopleImport.objects.values(), *AuditEvent.objects.values()]
        )

        for word in ("ada@", "Lovelace", "bob@", "Bobby", "Robert"):
            self.assertNotIn(word, stored)
        row = ImportRow.objects.get(line=3)
        self.assertEqual(
            unseal(row.before, purpose="people import")["old"], {"profile": {"first_name": "Robert"}}
        )


class LostKeyTests(ImportTestCase):
    """SECRET_KEY was changed, and the old one is not among the fallbacks."""

    NEW = override_settings(SECRET_KEY="n" * 60, SECRET_KEY_FALLBACKS=[])

    def setUp(self) -> None:
        super().setUp()
        self.batch = self.checked(["email", "bio"], ["ada@example.org", "Engines."], ["b@example.org", "x"])

    def test_a_commit_says_so_of_each_row_and_writes_nobody(self) -> None:
        with self.NEW:
            after = self.step("commit", self.batch["id"])

        self.assertEqual((after["state"], after["counts"]["rejected"]), ("committed", 2))
        self.assertEqual({fault["field"] for fault in after["faults"]}, {""})
        self.assertIn("can no longer be read", after["faults"][0]["reason"])
        self.assertFalse(User.objects.filter(email="ada@example.org").exists())

    def test_an_undo_says_so_and_erases_nobody(self) -> None:
        self.step("commit", self.batch["id"])
        with self.NEW:
            after = self.step("undo", self.batch["id"])

        self.assertEqual(after["progress"]["kept"], 2)
        self.assertTrue(User.objects.filter(email="ada@example.org").exists())

    def test_with_the_old_key_as_fallback_all_goes_on_and_erasure_finds_the_rows(self) -> None:
        ada = make_user(email="c@example.org")
        other = self.checked(["email", "yearLevel"], ["c@example.org", "none"])
        with override_settings(SECRET_KEY="n" * 60, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            after = self.step("commit", self.batch["id"])
            erase_person(ada, by=self.admin)

        self.assertEqual(after["progress"]["written"], 2)
        self.assertFalse(ImportRow.objects.filter(batch=other["id"]).exists())


@skipUnlessDBFeature("has_select_for_update")
@five_at_once
class TwoWorkersTests(TransactionTestCase):
    def test_two_workers_at_once_make_each_account_once(self) -> None:
        admin = make_admin()
        batch = check_file(SimpleUploadedFile("x.csv", csv_of(*numbered(20))), by=admin, flags={})
        with patch("users.services.imports.enqueue_on_commit"):
            start_commit(batch.pk, by=admin)

        results = in_parallel(lambda _: commit_import.func(import_id=batch.pk), 4)

        self.assertEqual(results, [None] * 4)
        batch.refresh_from_db()
        self.assertEqual(
            (batch.state, batch.counts["written"], batch.counts["create"]), ("committed", 20, 20)
        )
        self.assertEqual(User.objects.count(), 21)
        self.assertEqual(AuditEvent.objects.filter(action="people_import_committed").count(), 1)

    def test_two_imports_of_the_same_new_people_at_once_reject_nobody(self) -> None:
        header, *rows = numbered(24)
        batches = []
        for order in (rows, rows[::-1]):
            admin = make_admin()
            file = SimpleUploadedFile("x.csv", csv_of(header, *order))
            batches.append(check_file(file, by=admin, flags={}))
            with patch("users.services.imports.enqueue_on_commit"):
                start_commit(batches[-1].pk, by=admin)

        results = in_parallel(lambda number: commit_import.func(import_id=batches[number % 2].pk), 4)

        self.assertEqual(results, [None] * 4)
        for batch in batches:
            batch.refresh_from_db()
            self.assertEqual((batch.state, batch.counts["rejected"]), ("committed", 0))
        self.assertEqual(sum(batch.counts["create"] for batch in batches), 24)
        self.assertEqual(User.objects.count(), 26)

    def test_an_import_and_erasures_of_the_same_people_both_end(self) -> None:
        admin, other = make_admin(), make_admin()
        people = [make_user() for _ in range(36)]
        rows = [["email", "track"], *([person.email, "x"] for person in people)]
        batch = check_file(SimpleUploadedFile("x.csv", csv_of(*rows)), by=admin, flags={})
        with patch("users.services.imports.enqueue_on_commit"):
            start_commit(batch.pk, by=admin)

        def one(number: int) -> None:
            if number == 0:
                commit_import.func(import_id=batch.pk)
            for person in people[number - 1 :: 6] if number else ():
                erase_person(person, by=other)

        self.assertEqual(in_parallel(one, 4), [None] * 4)
        batch.refresh_from_db()
        self.assertEqual((batch.state, batch.counts["total"]), ("committed", 18))
        self.assertEqual(User.objects.filter(track="x").count(), 18)

    def test_an_import_and_an_admin_who_edits_the_same_people_both_end(self) -> None:
        admin, other = make_admin(), make_admin()
        people = [make_user() for _ in range(20)]
        rows = [["email", "track"], *([person.email, "x"] for person in [other, *people])]
        batch = check_file(SimpleUploadedFile("x.csv", csv_of(*rows)), by=admin, flags={})
        with patch("users.services.imports.enqueue_on_commit"):
            start_commit(batch.pk, by=admin)
        client = signed_in_client(admin)

        def one(number: int) -> Any:
            if number == 0:
                return commit_import.func(import_id=batch.pk)
            path = f"/api/admin/users/{[other, *people][-number].pk}/"
            return client.patch(path, {"profile": {"bio": "y"}}, format="json").status_code

        results = in_parallel(one, 4)

        self.assertEqual(results, [None, 200, 200, 200])
        self.assertEqual(User.objects.filter(track="x").count(), 21)
