"""A person's own data as a ZIP: all of it, nobody else's, built once, gone a day later (SAFETY B40)."""

from __future__ import annotations

import io
import json
import tempfile
import time
from datetime import timedelta
from typing import Any
from unittest import skipUnless
from unittest.mock import patch
from zipfile import ZipFile

import time_machine
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import TestCase, TransactionTestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.tests.signing_in import signed_in_client
from chat.models import MessageAttachment
from chat.tests.factories import make_message
from core.models import AuditEvent, Upload
from core.periodic import jobs
from core.registry import my_data
from core.testing import in_parallel
from core.uploads.files import save_file
from core.uploads.store import store_upload
from events.tests.factories import make_event
from groups.models import Group, Milestone, Task
from groups.tests.factories import make_group
from users.models import DataArchive, SupervisorProfile, User, UserProfile
from users.services import archive as service
from users.services.archive_content import safe_name
from users.services.erasure import erase_person
from users.tasks import prune_archives
from users.tests.factories import make_admin, make_link, make_user

URL = reverse("users:me-export")
DAY = timedelta(days=1)


class ArchiveCase(TestCase):
    """A student with a group, a mentor who looks after them, and a storage of the test's own."""

    accepts = "*/*"
    student: User
    mentor: User
    group: Group

    @classmethod
    def setUpTestData(cls) -> None:
        cls.student = make_user(email="ada@example.org", first_name="Ada", last_name="Lovelace")
        UserProfile.objects.create(user=cls.student, bio="Loves bees", guardian_email="mum@example.org")
        cls.mentor = make_user(email="mina@example.org", role="mentor", first_name="Mina")
        SupervisorProfile.objects.create(user=cls.mentor, phone_number="0400 111 222", wwcc_number="WWC-7")
        make_link(cls.student, cls.mentor)
        cls.group = make_group(members=[cls.student, cls.mentor])

    def setUp(self) -> None:
        cache.clear()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.enterContext(override_settings(MEDIA_ROOT=folder.name))
        self.clients: dict[int, Any] = {}

    def get(self, user: User | None = None, query: str = "") -> Any:
        """Ask as that person, read the answer, and let the background work end."""
        who = user or self.student
        if who.pk not in self.clients:
            self.clients[who.pk] = signed_in_client(who)
        with self.captureOnCommitCallbacks(execute=True):
            response = self.clients[who.pk].get(f"{URL}{query}", headers={"Accept": self.accepts})
        self.body = response.getvalue()
        return response

    def download(self, user: User | None = None, query: str = "") -> ZipFile:
        self.assertEqual(self.get(user, query).status_code, 202)
        self.assertEqual(self.get(user).status_code, 200)
        return ZipFile(io.BytesIO(self.body))

    def upload(self, name: str = "bees.txt", content: bytes = b"bzz", owner: User | None = None) -> Upload:
        file = SimpleUploadedFile(name, content, "text/plain")
        return store_upload(file, prefix="uploads", owner=owner or self.student)

    def documents(self, archive: ZipFile) -> dict[str, Any]:
        names = [name for name in archive.namelist() if name.endswith(".json")]
        return {name.removesuffix(".json"): json.loads(archive.read(name)) for name in names}


class ContentTests(ArchiveCase):
    def test_it_holds_every_document_and_a_note_that_names_each(self) -> None:
        archive = self.download()

        names = ("account", "links", "uploads", "activity", "sessions", "registrations", "groups", "tasks")
        said = (
            "messages",
            "openedMessages",
            "reading",
            "reactions",
            "mentions",
            "messageReports",
            "downloads",
            "acknowledgements",
            "calendarFeed",
            "notifications",
            "notificationSettings",
            "notificationChoices",
            "mailTrouble",
        )
        self.assertEqual(set(self.documents(archive)), {*names, *said})
        note = archive.read("README.txt").decode()
        for name in (*names, *said):
            with self.subTest(name):
                self.assertRegex(note, rf"(?m)^{name}\.json +[a-z]")

    def test_the_account_is_the_document_that_the_person_reads(self) -> None:
        account = self.documents(self.download())["account"]

        document = signed_in_client(self.student).get(reverse("users:me")).json()
        self.assertEqual(account["profile"], document["profile"])
        self.assertEqual(set(account), set(document))
        self.assertEqual(account["profile"]["guardianEmail"], "mum@example.org")

    def test_each_app_gives_what_it_holds(self) -> None:
        message = make_message(group=self.group, author=self.student, text="Grüße", is_deleted=True)
        MessageAttachment.objects.create(message=message, file_url="https://x.example/a", filename="a.pdf")
        make_message(group=self.group, author=self.mentor, text="Not yours")
        milestone = Milestone.objects.create(group=self.group, title="Grow")
        Task.objects.create(milestone=milestone, name="Pour", assigned_to=self.student)
        make_event(title="Symposium").registrations.create(user=self.student)

        documents = self.documents(self.download())

        written = [(row["groupId"], row["text"], row["attachments"]) for row in documents["messages"]]
        self.assertEqual(written, [(self.group.pk, "Grüße", ["a.pdf"])])
        self.assertTrue(documents["messages"][0]["removed"])
        self.assertEqual(
            [(row["id"], row["role"]) for row in documents["groups"]], [(self.group.pk, "student")]
        )
        self.assertEqual([(row["name"], row["milestone"]) for row in documents["tasks"]], [("Pour", "Grow")])
        self.assertEqual([row["title"] for row in documents["registrations"]], ["Symposium"])
        self.assertEqual(len(documents["sessions"]), 1)
        self.assertIn("signed_in", [row["action"] for row in documents["activity"]])

    def test_a_mentor_is_told_whom_they_mentor(self) -> None:
        mentored = make_group(mentor=self.mentor)

        groups = self.documents(self.download(self.mentor))["groups"]

        self.assertIn((mentored.pk, "mentor"), [(row["id"], row["role"]) for row in groups])

    def test_it_holds_the_persons_own_files_byte_for_byte(self) -> None:
        content = bytes(range(32, 127)) * 20_000
        upload = self.upload("../etc/my bees.txt", content)
        self.upload("mina.txt", owner=self.mentor)

        archive = self.download()

        self.assertEqual(archive.read(f"files/{upload.pk}-my bees.txt"), content)
        self.assertEqual(len([name for name in archive.namelist() if name.startswith("files/")]), 1)
        self.assertEqual(archive.testzip(), None)

    def test_it_holds_nothing_personal_of_anybody_else(self) -> None:
        """SAFETY B40: each gets their own."""
        secrets = {
            self.student.pk: ("ada@example.org", "mum@example.org", "Loves bees", "my-essay"),
            self.mentor.pk: ("mina@example.org", "0400 111 222", "WWC-7", "my-check"),
        }
        self.upload("my-essay.txt", owner=self.student)
        self.upload("my-check.txt", owner=self.mentor)
        for mine, other in ((self.student, self.mentor), (self.mentor, self.student)):
            archive = self.download(mine)
            text = "".join(archive.read(name).decode() for name in archive.namelist())
            with self.subTest(mine.email):
                self.assertEqual([word for word in secrets[mine.pk] if word not in text], [])
                self.assertEqual([word for word in secrets[other.pk] if word in text], [])

    def test_an_admin_takes_away_no_more_of_others_than_anybody(self) -> None:
        """B34, B35: what they may look up is not their own data, and the ZIP outlives their role."""
        admin = make_admin(email="desk@example.org")
        make_link(self.student, admin)

        text = str(self.documents(self.download(admin)))

        self.assertIn("desk@example.org", text)
        for word in (self.student.email, "mum@example.org", "0400 111 222", "WWC-7"):
            self.assertNotIn(word, text)

    def test_a_file_that_has_gone_is_named_in_the_note(self) -> None:
        gone, kept = self.upload("gone.txt"), self.upload("kept.txt")
        default_storage.delete(gone.key)

        archive = self.download()

        self.assertIn(
            f"Missing, since we no longer have it: {gone.pk}-gone.txt", archive.read("README.txt").decode()
        )
        self.assertEqual(
            [n for n in archive.namelist() if n.startswith("files/")], [f"files/{kept.pk}-kept.txt"]
        )

    def test_a_file_in_quarantine_is_not_handed_out(self) -> None:
        upload = self.upload("virus.txt")
        Upload.objects.update(state=Upload.State.QUARANTINED)

        archive = self.download()

        self.assertIn(f"Left out, since it may be harmful: {upload.pk}-", archive.read("README.txt").decode())
        self.assertNotIn("files/", "".join(archive.namelist()))

    def test_no_name_leaves_its_folder(self) -> None:
        names = {
            "../../etc/passwd": "____etc_passwd",
            "..": "_",
            "": "file",
            "C:\\x.txt": "C__x.txt",
            "a\x00b\u202etxt.exe": "a_b_txt.exe",
            "Grüße (2).pdf": "Grüße (2).pdf",
            "x" * 300 + ".pdf": "x" * 120 + ".pdf",
        }
        for name, safe in names.items():
            with self.subTest(name):
                self.assertEqual(safe_name(name), safe)

    def test_documents_cost_the_same_however_much_there_is(self) -> None:
        self.add_one_of_each()
        few = self.queries_to_read()
        for _ in range(20):
            self.add_one_of_each()

        self.assertEqual(self.queries_to_read(), few)

    def add_one_of_each(self) -> None:
        message = make_message(group=make_group(members=[self.student]), author=self.student)
        MessageAttachment.objects.create(message=message, file_url="https://x.example/a", filename="a.pdf")
        make_link(self.student, make_user(role="mentor"))
        make_event().registrations.create(user=self.student)

    def queries_to_read(self) -> int:
        with CaptureQueriesContext(connection) as queries:
            for documents_of in my_data:
                list(documents_of(self.student))
        return len(queries)


class AnswerTests(ArchiveCase):
    def test_strangers_and_the_suspended_get_nothing(self) -> None:
        self.assertEqual(APIClient().get(URL).status_code, 401)
        self.get()
        User.objects.filter(pk=self.student.pk).update(status=User.Status.INACTIVE)
        self.assertEqual(self.get().status_code, 401)

    def test_first_it_is_on_its_way(self) -> None:
        response = self.clients.setdefault(self.student.pk, signed_in_client(self.student)).get(URL)

        self.assertEqual((response.status_code, response["Retry-After"]), (202, "5"))
        self.assertEqual(response["Cache-Control"], "private, no-store")
        self.assertEqual(set(response.json()), {"state", "requestedAt", "detail"})
        self.assertEqual(response.json()["state"], "building")

    def test_then_it_is_a_zip_to_be_saved(self) -> None:
        self.get()
        response = self.get()

        self.assertEqual(response["Content-Type"], "application/zip")
        self.assertEqual(response["Cache-Control"], "private, no-store")
        name = f"my-data-{timezone.now():%Y%m%d}.zip"
        self.assertEqual(response["Content-Disposition"], f'attachment; filename="{name}"')
        self.assertEqual(int(response["Content-Length"]), DataArchive.objects.get().size)

    def test_a_client_that_accepts_nothing_but_a_zip_is_served(self) -> None:
        self.accepts = "application/zip"

        self.assertEqual([self.get().status_code for _ in range(2)], [202, 200])

    def test_nonsense_in_the_query_is_400(self) -> None:
        self.assertEqual(self.get(query="?fresh=perhaps").status_code, 400)

    def test_the_request_is_audited_once_for_each_build(self) -> None:
        for _ in range(3):
            self.get()

        self.assertEqual(AuditEvent.objects.filter(action="own_data_requested").count(), 1)


class LifeTests(ArchiveCase):
    def key(self) -> str:
        return DataArchive.objects.get().key

    def test_for_a_day_it_is_the_same_one(self) -> None:
        self.get()
        key = self.key()
        with time_machine.travel(timezone.now() + DAY - timedelta(minutes=1)):
            self.clients.clear()
            self.assertEqual(self.get().status_code, 200)

        self.assertEqual(self.key(), key)

    def test_after_a_day_it_is_built_anew_and_the_old_one_is_deleted(self) -> None:
        self.get()
        key = self.key()
        with time_machine.travel(timezone.now() + DAY):
            self.clients.clear()
            self.assertEqual(self.get().status_code, 202)
            self.assertEqual(self.get().status_code, 200)

        self.assertNotEqual(self.key(), key)
        self.assertFalse(default_storage.exists(key))
        self.assertTrue(default_storage.exists(self.key()))

    def test_a_fresh_one_holds_what_is_new_and_the_old_one_is_deleted(self) -> None:
        self.get()
        key = self.key()
        make_message(group=self.group, author=self.student, text="New")

        archive = self.download(query="?fresh=true")

        self.assertEqual(len(self.documents(archive)["messages"]), 1)
        self.assertFalse(default_storage.exists(key))

    def test_the_seventh_fresh_one_in_an_hour_is_refused(self) -> None:
        self.assertEqual([self.get(query="?fresh=true").status_code for _ in range(6)], [202] * 6)

        refused = self.get(query="?fresh=true")

        self.assertEqual((refused.status_code, refused.json()["code"]), (429, "throttled"))
        self.assertGreater(int(refused["Retry-After"]), 3_000)
        self.assertEqual(self.get().status_code, 200)
        self.assertEqual(self.get(self.mentor, "?fresh=true").status_code, 202)

    def test_while_it_is_built_it_is_not_asked_for_twice(self) -> None:
        with patch("users.services.archive.write_archive", side_effect=OSError) as write:
            for query in ("", "", "?fresh=true"):
                self.assertEqual(self.get(query=query).status_code, 202)
        self.assertEqual(write.call_count, 5)  # the attempts of one task

        with time_machine.travel(timezone.now() + timedelta(minutes=16)):
            self.assertEqual([self.get().status_code for _ in range(2)], [202, 200])

    def test_a_file_that_got_lost_is_built_anew(self) -> None:
        self.get()
        default_storage.delete(self.key())

        self.assertEqual([self.get().status_code for _ in range(2)], [202, 200])

    def test_a_storage_that_does_not_answer_is_503(self) -> None:
        self.get()
        with patch.object(default_storage, "open", side_effect=ConnectionError):
            self.assertEqual(self.get().status_code, 503)

    def test_a_storage_that_fails_once_is_tried_again(self) -> None:
        save, failures = default_storage.save, iter([OSError()])

        def fail_once(name: str, content: Any) -> str:
            for failure in failures:
                raise failure
            return save(name, content)

        with patch.object(default_storage, "save", fail_once):
            self.assertEqual([self.get().status_code for _ in range(2)], [202, 200])

    def test_pruning_deletes_row_and_file_after_a_day(self) -> None:
        self.get()
        key = self.key()
        self.assertEqual(prune_archives(), {"deleted": 0})

        with time_machine.travel(timezone.now() + DAY), self.captureOnCommitCallbacks(execute=True):
            self.assertEqual(prune_archives(), {"deleted": 1})

        self.assertFalse(DataArchive.objects.exists())
        self.assertFalse(default_storage.exists(key))
        self.assertEqual(jobs["prune_archives"], (timedelta(hours=1), prune_archives))


class OvertakenTests(ArchiveCase):
    """What happens to an archive while it is being built."""

    def setUp(self) -> None:
        super().setUp()
        self.archive = DataArchive.objects.create(user=self.student)

    def build_while(self, happens: Any) -> None:
        """Build, and let something happen when the ZIP lies in the storage."""
        save = save_file

        def save_then(key: str, file: Any) -> str:
            saved = save(key, file)
            happens()
            return saved

        with patch("users.services.archive.save_file", save_then):
            service.build_archive(self.archive.pk)

    def stored(self) -> list[str]:
        return list(default_storage.listdir("exports")[1])

    def test_of_somebody_erased_no_file_stays(self) -> None:
        self.build_while(lambda: User.objects.filter(pk=self.student.pk).delete())

        self.assertEqual(self.stored(), [])

    def test_of_an_older_request_no_file_stays(self) -> None:
        self.build_while(lambda: DataArchive.objects.update(requested_at=timezone.now() + DAY))

        self.assertEqual(self.stored(), [])
        self.assertEqual(DataArchive.objects.get().state, "building")

    def killed_after_storing(self) -> None:
        with patch("users.services.archive.save_file", side_effect=self.store_and_die):
            self.assertRaises(KeyboardInterrupt, service.build_archive, self.archive.pk)
        self.assertEqual(len(self.stored()), 1)

    def store_and_die(self, key: str, file: Any) -> None:
        save_file(key, file)
        raise KeyboardInterrupt

    def test_a_worker_killed_after_storing_leaves_a_file_that_erasure_knows(self) -> None:
        self.killed_after_storing()

        with self.captureOnCommitCallbacks(execute=True):
            erase_person(self.student, by=make_admin())

        self.assertEqual(self.stored(), [])

    def test_the_next_try_takes_its_place(self) -> None:
        self.killed_after_storing()

        service.build_archive(self.archive.pk)

        self.assertEqual(len(self.stored()), 1)
        self.assertEqual(DataArchive.objects.get().state, "ready")

    def test_built_twice_it_is_one_file(self) -> None:
        service.build_archive(self.archive.pk)
        service.build_archive(self.archive.pk)

        self.assertEqual(len(self.stored()), 1)

    def test_one_that_has_gone_is_not_built(self) -> None:
        self.archive.delete()
        service.build_archive(self.archive.pk or 0)

        self.assertFalse(default_storage.exists("exports"))

    def test_an_admins_erasure_deletes_it_too(self) -> None:
        service.build_archive(self.archive.pk)
        client: Any = signed_in_client(make_admin())
        with self.captureOnCommitCallbacks(execute=True):
            client.delete(reverse("admin_panel:user-detail", args=[self.student.pk]))

        self.assertEqual(self.stored(), [])


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class RaceTests(TransactionTestCase):
    def claim_at_once(self, student: User) -> tuple[set[Any], int]:
        """Return what 8 callers got, each slow to decide, and how often a build was started."""
        is_due = service.is_due

        def slow(archive: DataArchive, **how: Any) -> bool:
            due = is_due(archive, **how)
            time.sleep(0.05)
            return due

        with (
            patch("users.services.archive.is_due", slow),
            patch("users.services.archive.enqueue_on_commit") as enqueue,
        ):
            archives = in_parallel(lambda _: service.claim_archive(student), 8)
        return {(archive.user_id, archive.state) for archive in archives}, enqueue.call_count

    def test_the_first_one_is_built_once(self) -> None:
        student = make_user()

        self.assertEqual(self.claim_at_once(student), ({(student.pk, "building")}, 1))

    def test_the_one_in_place_of_an_old_one_is_built_once(self) -> None:
        student = make_user()
        DataArchive.objects.create(user=student, state="ready", requested_at=timezone.now() - 2 * DAY)

        self.assertEqual(self.claim_at_once(student), ({(student.pk, "building")}, 1))
