"""Erasing a person leaves nothing of them, in any column of any table or in the storage (D5; SAFETY B40)."""

from __future__ import annotations

import logging
import re
import shutil
import tempfile
import time
from datetime import date
from threading import Event
from typing import Any, Final
from unittest import skipUnless
from unittest.mock import patch

from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection
from django.test import TestCase, TransactionTestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from announcements.models import Acknowledgement, Announcement
from authentication.models import RefreshToken, SignInSession
from authentication.sessions import open_session
from btf_backend.tests.telling import TOLD, TellingOfEverything
from chat.models import Mention, Message, MessageAttachment, MessageReport, Reaction, ReadCursor
from chat.tests.factories import make_message
from core import audit
from core.models import (
    AuditEvent,
    Delivery,
    MailTrouble,
    Notice,
    NotificationChoice,
    NotificationSettings,
    Upload,
)
from core.notifications import claims, troubles
from core.notifications.carried import hold_carried
from core.notifications.claims import claim_batch
from core.notifications.fanout import fan_out_next
from core.notifications.notices import notify
from core.notifications.unsubscribe import unsubscribe, unsubscribe_link
from core.registry import erasure, uploads_needed
from core.testing import in_parallel
from core.uploads.erasure import plain_name, telling_words, tells
from core.uploads.files import remove_files
from core.uploads.store import store_upload
from events.models import EventRegistration
from events.tests.factories import make_event
from groups.models import Group, GroupMember, Milestone, PastMember, Task
from groups.tests.factories import make_group
from resources.models import Resource, ResourceDownload
from resources.services.downloads import count_download
from users.models import DataArchive, StudentSupervisor, SupervisorProfile, User, UserProfile
from users.services.archive import request_archive
from users.services.erasure import erase_person
from users.services.links import decide_join_permission
from users.tests.factories import make_admin, make_link, make_user

ADDRESS: Final = "ZQ.Wombatson@erasure.example"
PERSONAL: Final = (
    *("Zephyrine", "Quillfeather", ADDRESS, "wombatson", "0499 123 987", "WWC-5550199", "axolotl genomes"),
    *("Hogsnorton High", "Umbrella Mycology", "pangolin-photo", "guardian-of-zq", "supervisor-of-zq"),
    *("Friday evenings only", "Firefox"),
)
AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


ID: Final = 7_310_977  # a number that nothing else has


class StoredFiles(TestCase):
    """A storage of the test's own."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.enterContext(override_settings(MEDIA_ROOT=folder.name))

    @staticmethod
    def upload(name: str, owner: User) -> Upload:
        return store_upload(SimpleUploadedFile(name, b"text", "text/plain"), prefix="uploads", owner=owner)

    @staticmethod
    def attach(message: Message, upload: Upload | None, filename: str) -> MessageAttachment:
        url = f"https://files.example/{upload.key if upload else 'x'}"
        return MessageAttachment.objects.create(
            message=message, upload=upload, filename=filename, file_url=url
        )


class ErasureCase(StoredFiles, TellingOfEverything):
    """A person who has left something everywhere, and others beside them: rows and files of each test."""

    files: str
    admin: User
    friend: User
    adult: User
    person: User
    group: Group
    alone: Upload
    shared: Upload
    cover: Upload
    other_file: Upload
    message: Message
    reply: Message
    attachment: MessageAttachment
    foreign: MessageAttachment
    passed_on: MessageAttachment
    task: Task
    archive: DataArchive

    @classmethod
    def setUpTestData(cls) -> None:
        cls.files = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.admin, cls.friend, cls.adult = make_admin(), make_user(), make_user(role="mentor")
        cls.person = cls.make_person()
        with override_settings(MEDIA_ROOT=cls.files):
            cls.leave_files_and_messages()
            cls.leave_rows()

    def setUp(self) -> None:
        super().setUp()
        shutil.copytree(self.files, settings.MEDIA_ROOT, dirs_exist_ok=True)
        self.client: Any = self.at_the_desk()

    @classmethod
    def at_the_desk(cls) -> Any:
        client = APIClient()
        client.force_authenticate(cls.admin)
        return client

    @staticmethod
    def make_person() -> User:
        person = make_user(
            id=ID, email=ADDRESS, first_name="Zephyrine", last_name="Quillfeather", role="supervisor"
        )
        UserProfile.objects.create(
            user=person,
            first_name="Zephyrine",
            last_name="Quillfeather",
            bio="I love axolotl genomes",
            school_name="Hogsnorton High",
            guardian_email="guardian-of-zq@erasure.example",
            supervisor_email="supervisor-of-zq@erasure.example",
            availability="Friday evenings only",
        )
        SupervisorProfile.objects.create(
            user=person,
            organization="Umbrella Mycology",
            phone_number="0499 123 987",
            wwcc_number="WWC-5550199",
        )
        return person

    @classmethod
    def leave_files_and_messages(cls) -> None:
        cls.group = make_group(members=[cls.person, cls.friend], mentor=cls.person)
        cls.alone = cls.upload("pangolin-photo.txt", cls.person)
        cls.shared = cls.upload("Plan by ZEPHYRINE.txt", cls.person)
        cls.cover = cls.upload("cover-wombatson.txt", cls.person)
        cls.message = make_message(group=cls.group, author=cls.person, text="The plates grew well")
        cls.attachment = cls.attach(cls.message, cls.shared, "Zéphyrine's plan.txt")
        cls.foreign = cls.attach(cls.message, None, "results.txt")
        Message.objects.filter(pk=cls.message.pk).update(moderated_by=cls.person)
        cls.reply = make_message(group=cls.group, author=cls.friend, text="Good")
        cls.passed_on = cls.attach(cls.reply, cls.shared, "as-quillfeather-said.txt")
        cls.other_file = cls.upload("mine.txt", cls.friend)
        cls.attach(cls.reply, cls.other_file, "mine.txt")
        Resource.objects.create(title="Guide", type="guide", file_url=f"/media/{cls.cover.key}")
        count_download(Resource.objects.get(), by=cls.person)
        cls.leave_marks()

    @classmethod
    def leave_marks(cls) -> None:
        cls.reply.reactions.create(user=cls.person, sign=Reaction.Sign.HEART)
        cls.reply.mentions.create(user=cls.person)
        cls.reply.reports.create(reporter=cls.person, category="spam", resolved_by=cls.person)
        cls.message.reports.create(reporter=cls.friend, category="unsafe")
        cls.group.read_cursors.create(user=cls.person, seq=2)

    @classmethod
    def leave_rows(cls) -> None:
        open_session(cls.person, user_agent=AGENT)
        decide_join_permission(make_link(cls.friend, cls.person), by=cls.person, granted=True)
        make_link(cls.person, cls.adult)
        milestone = Milestone.objects.create(group=cls.group, title="Grow")
        cls.task = Task.objects.create(milestone=milestone, name="Pour", assigned_to=cls.person)
        PastMember.objects.create(group=make_group(id="LEFT"), user=cls.person, role="student")
        make_group(id="GONE", members=[cls.person], archived_at=timezone.now())
        EventRegistration.objects.create(event=make_event(), user=cls.person)
        news = Announcement.objects.create(title="News", summary="x", author="Zephyrine Quillfeather")
        news.acknowledgements.create(user=cls.person)
        UserProfile.objects.create(
            user=cls.friend, guardian_email=ADDRESS.lower(), supervisor_email=ADDRESS, bio="Bees"
        )
        for who, whom in ((cls.admin, cls.person), (cls.person, cls.friend), (cls.admin, cls.friend)):
            LogEntry.objects.create(
                user=who,
                content_type=ContentType.objects.get_for_model(User),
                object_id=str(whom.pk),
                object_repr=whom.name,
                action_flag=CHANGE,
            )
        audit.record("signed_in", actor=cls.person, target=cls.person)
        cls.leave_mail()
        with cls.captureOnCommitCallbacks(execute=True):
            request_archive(cls.person)
        cls.archive = DataArchive.objects.get(user=cls.person, state="ready")

    @classmethod
    def leave_mail(cls) -> None:
        """What both were told of, settings, a bounce, and the choice of somebody who clicked in a mail."""
        cls.tell_everything([cls.person, cls.friend], group=cls.group, author=cls.adult)
        NotificationSettings.objects.create(person=cls.person, language="pt-br")
        unsubscribe(unsubscribe_link(cls.person.pk, "daily").rstrip("/").rpartition("/")[2])
        troubles.report([troubles.Event(ADDRESS.lower(), cause="bounced")])

    def erase(self) -> Any:
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.delete(reverse("admin_panel:user-detail", args=[self.person.pk]))


def words_in_database() -> dict[str, list[str]]:
    """Return, for each personal string that is found, the tables that hold it; reads every column."""
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - a table's name
            text = str(cursor.fetchall()).casefold()
            for word in PERSONAL:
                if word.casefold() in text:
                    found.setdefault(word, []).append(table)
    return found


def notices_naming_them() -> list[str]:
    """Return the notices that name the person by their id: among whom it is for, in subject or data."""
    said = {
        f"{notice} {notice.people} {notice.data}"
        for notice in Notice.objects.all()
        if re.search(rf"\b{ID}\b", f"{notice} {notice.people} {notice.data}")
    }
    return sorted(said)


class NothingIsLeftTests(ErasureCase):
    def test_what_they_were_told_of_and_how_goes_along(self) -> None:
        self.assertTrue(MailTrouble.objects.exists())

        self.erase()

        self.assertTrue(Delivery.objects.filter(person=self.friend).exists())
        for left in (Delivery, MailTrouble, NotificationSettings, NotificationChoice):
            self.assertFalse(left.objects.filter(person=ID).exists())

    def test_no_notice_names_them_and_others_keep_theirs(self) -> None:
        theirs = {notice.kind for notice in Notice.objects.filter(deliveries__person=self.person)}
        self.assertLessEqual(TOLD, theirs)
        carrier = Delivery.objects.get(person=self.person, notice__kind="daily")
        self.assertEqual([row.notice.kind for row in carrier.carried.all()], ["task_due"])
        self.assertEqual([kind for kind, _ in carrier.notice.data["parts"]], ["unread_chat"])
        self.assertGreaterEqual(len(notices_naming_them()), 3)
        kept = Delivery.objects.exclude(person=self.person).values_list("notice__kind", "notice__subject")
        before = set(kept)

        self.erase()

        self.assertEqual(notices_naming_them(), [])
        self.assertLessEqual(before, set(kept.all()))

    def test_nor_one_that_is_told_to_them_as_they_go(self) -> None:
        """It is written, and its work comes when they are there no more."""
        alone = {"kind": "account_status", "subject": f"{ID} x", "data": {"change": "reopened"}}
        both = {"kind": "account_status", "subject": "both", "data": {"change": "reopened"}}
        notify(alone.pop("kind"), **alone, to=[ID])  # type: ignore[arg-type]
        notify(both.pop("kind"), **both, to=[ID, self.friend.pk])  # type: ignore[arg-type]
        waiting = list(Notice.objects.filter(fanned_out_at=None).values_list("pk", flat=True))

        self.erase()
        with self.captureOnCommitCallbacks():
            for pk in waiting:
                self.assertFalse(fan_out_next(notice_id=pk))

        self.assertEqual(notices_naming_them(), [])
        self.assertEqual(Delivery.objects.get(notice__subject="both").person, self.friend)

    def test_no_column_of_any_table_holds_anything_of_the_person(self) -> None:
        """SAFETY B40."""
        self.assertEqual(set(words_in_database()), set(PERSONAL))

        self.assertEqual(self.erase().status_code, 204)

        self.assertEqual(words_in_database(), {})

    def test_nothing_of_the_person_is_logged(self) -> None:
        with self.assertLogs(level=logging.INFO) as logs:
            logging.getLogger(__name__).info("begin")
            self.erase()

        text = " ".join(str(vars(record)) for record in logs.records).casefold()
        self.assertEqual([word for word in PERSONAL if word.casefold() in text], [])

    def test_files_that_nobody_else_needs_are_gone_and_so_is_the_archive(self) -> None:
        self.erase()

        self.assertFalse(Upload.objects.filter(pk=self.alone.pk).exists())
        self.assertFalse(default_storage.exists(self.alone.key))
        self.assertFalse(default_storage.exists(self.archive.key))
        self.assertEqual(DataArchive.objects.count(), 0)

    def test_sessions_links_and_marks_are_gone(self) -> None:
        self.erase()

        marks = (ReadCursor, Reaction, Mention, ResourceDownload, Acknowledgement)
        self.assertFalse(EventRegistration.everything.filter(user=ID).exists())
        for model in (SignInSession, RefreshToken, StudentSupervisor, *marks):
            with self.subTest(model.__name__):
                self.assertEqual(model._default_manager.count(), 0)

    def test_the_audit_keeps_a_pseudonym(self) -> None:
        before = AuditEvent.objects.filter(actor_id=self.person.pk).count()
        self.assertGreater(before, 0)

        self.erase()

        self.assertEqual(AuditEvent.objects.filter(actor_id=self.person.pk).count(), before)
        erased = AuditEvent.objects.get(action="user_deleted")
        self.assertEqual((erased.actor_id, erased.object_id), (self.admin.pk, str(self.person.pk)))


class OthersKeepTheirsTests(ErasureCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        with override_settings(MEDIA_ROOT=cls.files), cls.captureOnCommitCallbacks(execute=True):
            cls.at_the_desk().delete(reverse("admin_panel:user-detail", args=[cls.person.pk]))

    def test_the_conversation_stays_readable_without_an_author(self) -> None:
        """B33, D5."""
        """D5."""
        self.message.refresh_from_db()

        self.assertEqual((self.message.text, self.message.author), ("The plates grew well", None))
        self.assertEqual(self.message.moderated_by, None)
        self.assertEqual(Message.objects.get(author=self.friend), self.reply)

    def test_what_was_reported_stays_reported(self) -> None:
        rows = MessageReport.objects.order_by("pk").values_list("message", "reporter", "resolved_by")

        self.assertEqual(list(rows), [(self.reply.pk, None, None), (self.message.pk, self.friend.pk, None)])

    def test_what_hangs_on_it_stays_under_a_plain_name(self) -> None:
        self.shared.refresh_from_db()
        self.attachment.refresh_from_db()

        self.assertEqual((self.shared.owner, self.shared.filename), (None, "file.txt"))
        self.assertEqual((self.attachment.upload, self.attachment.filename), (self.shared, "file.txt"))
        self.assertTrue(default_storage.exists(self.shared.key))

    def test_so_does_what_others_passed_on(self) -> None:
        self.passed_on.refresh_from_db()

        self.assertEqual((self.passed_on.message, self.passed_on.filename), (self.reply, "file.txt"))

    def test_a_name_that_tells_nothing_stays(self) -> None:
        self.foreign.refresh_from_db()

        self.assertEqual(self.foreign.filename, "results.txt")

    def test_what_is_published_stays(self) -> None:
        self.cover.refresh_from_db()

        self.assertEqual((self.cover.owner, self.cover.filename), (None, "file.txt"))
        self.assertTrue(default_storage.exists(self.cover.key))

    def test_others_files_groups_and_profiles_are_untouched(self) -> None:
        self.other_file.refresh_from_db()
        self.task.refresh_from_db()
        profile = UserProfile.objects.get(user=self.friend)

        self.assertEqual((self.other_file.owner, self.other_file.filename), (self.friend, "mine.txt"))
        self.assertTrue(default_storage.exists(self.other_file.key))
        self.assertEqual(self.task.assigned_to, None)
        self.assertEqual(Group.objects.get(pk=self.group.pk).mentor, None)
        self.assertEqual(list(GroupMember.objects.values_list("user", flat=True)), [self.friend.pk])
        self.assertEqual((profile.guardian_email, profile.supervisor_email, profile.bio), ("", "", "Bees"))

    def test_that_somebody_was_in_their_groups_stays(self) -> None:
        """D5: as what, and when; in archived groups too."""
        places = PastMember.objects.order_by("group", "role").values_list("group", "role", "user")

        self.assertEqual(
            list(places),
            [
                ("GONE", "student", None),
                ("LEFT", "student", None),
                (self.group.pk, "mentor", None),
                (self.group.pk, "student", None),
            ],
        )
        self.assertEqual({row.name for row in PastMember.objects.all()}, {"Former member"})

    def test_the_admin_sites_history_of_others_stays(self) -> None:
        kept = LogEntry.objects.get()

        self.assertEqual((kept.user, kept.object_id), (self.admin, str(self.friend.pk)))


class WholeOrNotAtAllTests(ErasureCase):
    def test_an_app_that_fails_leaves_everything_as_it_was(self) -> None:
        def fail(user: User) -> None:
            raise OSError

        before = words_in_database()
        with patch.dict(erasure.entries, {"last": fail}), self.assertRaises(OSError):
            self.erase()

        self.assertEqual(words_in_database(), before)
        for key in (self.alone.key, self.shared.key, self.archive.key):
            self.assertTrue(default_storage.exists(key))
        self.assertTrue(SignInSession.objects.live().filter(user=self.person).exists())

    def test_a_storage_that_fails_is_asked_again(self) -> None:
        delete, failures = default_storage.delete, iter([OSError(), OSError()])

        def fail_twice(key: str) -> None:
            for failure in failures:
                raise failure
            delete(key)

        with patch.object(default_storage, "delete", fail_twice):
            self.assertEqual(self.erase().status_code, 204)

        self.assertFalse(default_storage.exists(self.alone.key))
        self.assertFalse(default_storage.exists(self.archive.key))

    def test_one_file_that_cannot_be_deleted_holds_up_no_other(self) -> None:
        with patch.object(default_storage, "delete", side_effect=[OSError(), None]) as delete:
            self.assertRaises(OSError, remove_files, ["a", "b"])

        self.assertEqual([call.args[0] for call in delete.call_args_list], ["a", "b"])

    def test_a_file_that_has_gone_already_is_no_fault(self) -> None:
        default_storage.delete(self.alone.key)

        self.assertEqual(self.erase().status_code, 204)
        self.assertEqual(words_in_database(), {})


class CostTests(StoredFiles):
    def queries_to_erase(self, count: int) -> int:
        person, friend = make_user(first_name="Zephyrine"), make_user()
        group = make_group(members=[person, friend])
        for number in range(count):
            self.upload(f"alone{number}.txt", person)
            message = make_message(group=group, author=person, text="x")
            self.attach(message, self.upload(f"Zephyrine{number}.txt", person), f"zephyrine{number}.txt")
            UserProfile.objects.create(user=make_user(), guardian_email=person.email)
            notice = Notice.objects.create(
                kind="task_due", subject=f"{person.pk} {number}", fanned_out_at=timezone.now()
            )
            Delivery.objects.create(notice=notice, person=person)
        client: Any = APIClient()
        client.force_authenticate(make_admin())
        with CaptureQueriesContext(connection) as queries:
            client.delete(reverse("admin_panel:user-detail", args=[person.pk]))
        self.assertFalse(User.objects.filter(pk=person.pk).exists())
        return len(queries)

    def test_it_costs_the_same_however_much_there_is(self) -> None:
        ContentType.objects.get_for_model(User)

        self.assertEqual(self.queries_to_erase(1), self.queries_to_erase(8))


class NamesOfFilesTests(TestCase):
    def test_names_are_found_whatever_their_spelling(self) -> None:
        """Phones decompose accents, and people write names in every case and order."""
        words = telling_words(
            User(first_name="Zoë Anne", last_name="O'Brien-Li", email="z.obrien07@example.org")
        )
        for filename in (
            *("ZOE.pdf", "Zoe\u0308_essay.pdf", "obrien07.png", "essay-anne.txt", "my brien.txt"),
            *("z.obrien07@example.org.txt", "Li.pdf", "draft_li_2.pdf"),
        ):
            with self.subTest(filename):
                self.assertTrue(tells(filename, words))
        for filename in ("plan.pdf", "lichen.pdf", "zoo.png", "plaza.txt", ""):
            with self.subTest(filename):
                self.assertFalse(tells(filename, words))

    def test_two_signs_of_a_script_without_an_alphabet_are_a_name(self) -> None:
        words = telling_words(User(first_name="伟", last_name="李", email="a@example.org"))

        self.assertTrue(tells("李伟的报告.pdf", words))

    def test_somebody_without_a_name_is_told_by_their_address_alone(self) -> None:
        self.assertEqual(telling_words(User(email="b4@example.org")), {"b4"})

    def test_the_plain_name_keeps_an_extension_that_we_know(self) -> None:
        for filename, plain in (("Ada.PDF", "file.pdf"), ("x.ada", "file"), ("Ada", "file")):
            with self.subTest(filename):
                self.assertEqual(plain_name(filename), plain)


class NeededTests(StoredFiles):
    def test_covers_of_events_and_resources_are_needed(self) -> None:
        person = make_user()
        covers = [self.upload(f"cover{number}.txt", person) for number in range(3)]
        make_event(cover_image=f"/media/{covers[0].key}", date=date(2031, 1, 1))
        Resource.objects.create(
            title="x", type="guide", file_url="https://x.example/", cover_image=covers[1].key
        )
        client: Any = APIClient()
        client.force_authenticate(make_admin())

        with self.captureOnCommitCallbacks(execute=True):
            client.delete(reverse("admin_panel:user-detail", args=[person.pk]))

        self.assertEqual(list(Upload.objects.order_by("pk")), covers[:2])
        self.assertFalse(default_storage.exists(covers[2].key))


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class RaceTests(TransactionTestCase):
    def test_a_file_that_is_attached_at_this_moment_is_refused_not_lost(self) -> None:
        """The row is held from the question who needs it to the commit."""
        admin, person = make_admin(), make_user()
        message = make_message()
        upload = Upload.objects.create(owner=person, key="uploads/x.txt", filename="x.txt", size=1)
        asked = Event()

        def take_a_while(ids: Any) -> set[int]:
            asked.set()
            time.sleep(0.3)
            return set()

        def erase_or_attach(number: int) -> None:
            if number == 0:
                erase_person(person, by=admin)
            else:
                asked.wait(timeout=5)
                MessageAttachment.objects.create(message=message, upload_id=upload.pk, file_url="https://x/")

        with patch.dict(uploads_needed.entries, {"last": take_a_while}):
            _, attached = in_parallel(erase_or_attach, 2)

        self.assertIsInstance(attached, IntegrityError)
        self.assertFalse(Upload.objects.exists())
        self.assertFalse(User.objects.filter(pk=person.pk).exists())

    def test_a_daily_mail_that_is_being_settled_and_an_erasure_end_in_turn(self) -> None:
        admin, person = make_admin(), make_user()
        carried, mail = (
            Delivery.objects.create(
                notice=Notice.objects.create(kind=kind, subject=f"{person.pk}", fanned_out_at=timezone.now()),
                person=person,
                state=state,
                due_at=timezone.now() if state == "queued" else None,
            )
            for kind, state in (("task_due", "waiting"), ("daily", "queued"))
        )
        Delivery.objects.filter(pk=carried.pk).update(carried_by=mail)
        (claimed,) = claim_batch()
        begun = Event()

        def hold_for_a_while(delivery: int) -> list[int]:
            held = hold_carried(delivery)
            begun.set()
            time.sleep(0.3)
            return held

        def erase_or_settle(number: int) -> None:
            if number == 0:
                claimed._replace(carries=True).settle(state="sent")
            else:
                begun.wait(timeout=5)
                erase_person(person, by=admin)

        with patch.object(claims, "hold_carried", hold_for_a_while):
            self.assertEqual(in_parallel(erase_or_settle, 2), [None, None])

        self.assertEqual((Delivery.objects.count(), Notice.objects.count()), (0, 0))
