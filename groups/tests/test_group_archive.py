"""Deleting a group archives it: gone for everyone, restorable for 30 days, then gone for good (7.5, D29)."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from typing import Any

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from django.utils import timezone

from chat.models import Message, MessageAttachment
from chat.tests.factories import make_message
from core.models import AuditEvent, Upload
from core.uploads.store import store_upload
from groups.models import Group, GroupMember, Milestone, PastMember, Task
from groups.tasks import purge_groups
from groups.tests.cases import GroupCase, call, purge, url
from groups.tests.factories import make_group, make_milestone, make_task
from users.models import User
from users.tests.factories import make_superuser


class ArchiveCase(GroupCase):
    def archive(self, group: Group | None = None) -> None:
        response = call(self.admin, "delete", url("detail", (group or self.group).pk))
        self.assertEqual((response.status_code, response.content), (204, b""))

    def restore(self, group_id: str = "BTF046") -> Any:
        return call(self.admin, "post", url("restore", group_id))

    def ids(self, who: User, **query: Any) -> list[str]:
        return [row["id"] for row in call(who, "get", url("list"), **query).json()["groups"]]


class ArchiveTests(ArchiveCase):
    def test_it_is_gone_for_everyone(self) -> None:
        task = make_task(make_milestone(self.group), assigned_to=self.student)
        self.archive()

        for who in (self.admin, make_superuser(), self.mentor, self.student):
            with self.subTest(who.role):
                self.assertFalse(self.sees(who))
                self.assertEqual(self.ids(who), [])
                for method, path, body in (
                    ("get", url("tasks", "BTF046"), None),
                    ("get", url("history", "BTF046"), None),
                    ("post", url("create-milestone", "BTF046"), {"title": "x"}),
                    ("put", url("update-task", "BTF046", task.pk), {"completed": True}),
                ):
                    self.assertEqual(call(who, method, path, body).status_code, 404)

    def test_nobody_changes_it_while_it_is_archived(self) -> None:
        self.archive()

        for method, path, body in (
            ("patch", url("detail", "BTF046"), {"name": "x"}),
            ("delete", url("detail", "BTF046"), None),
            ("post", url("members", "BTF046"), {"userId": self.outsider.pk}),
            ("delete", url("member", "BTF046", self.student.pk), None),
        ):
            self.assertEqual(call(self.admin, method, path, body).status_code, 404)

    def test_its_tasks_are_in_nobodys_list(self) -> None:
        make_task(make_milestone(self.group), assigned_to=self.student)
        self.archive()

        self.assertEqual(call(self.student, "get", "/api/tasks/mine/").json()["count"], 0)

    def test_admins_alone_find_it_by_asking(self) -> None:
        self.archive()
        make_group(id="KEPT", members=[self.student])

        for asked in ("true", "True", "1"):
            self.assertEqual(self.ids(self.admin, archived=asked), ["BTF046"])
        self.assertEqual(self.ids(self.admin, archived="false"), ["KEPT"])
        self.assertEqual(self.ids(self.admin, archived="true", track="Brazil"), [])
        for who in (self.student, self.mentor, self.outsider):
            self.assertEqual(self.ids(who, archived="true"), [])

    def test_restoring_brings_all_of_it_back_as_it_was(self) -> None:
        make_task(make_milestone(self.group), assigned_to=self.student)
        before, room = self.detail(), self.group.room
        self.archive()

        response = self.restore()

        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json(), before)
        self.assertEqual(Group.objects.get().room, room)
        self.assertTrue(self.sees(self.student))

    def test_what_is_not_archived_cannot_be_restored(self) -> None:
        for group_id in ("BTF046", "BTF999"):
            with self.subTest(group_id):
                self.assert_refused(self.restore(group_id), 404)

    def test_each_step_is_audited(self) -> None:
        self.archive()
        self.restore()
        self.archive()
        purge()

        events = AuditEvent.objects.order_by("pk").values_list("action", "actor_id", "object_id")
        steps = [("group_archived", self.admin.pk), ("group_restored", self.admin.pk)]
        self.assertEqual(
            list(events), [(*step, "BTF046") for step in [*steps, steps[0], ("group_purged", None)]]
        )


class PurgeTests(ArchiveCase):
    def test_within_30_days_it_can_be_restored(self) -> None:
        almost = timezone.now() - timedelta(days=30) + timedelta(minutes=5)
        Group.objects.update(archived_at=almost)

        self.assertEqual(purge_groups(), {"groups": 0, "plan_rows": 0})
        self.assertEqual(self.restore().status_code, 200)

    def test_afterwards_it_cannot_even_where_the_purge_has_not_come_by(self) -> None:
        Group.everything.filter(pk=self.group.pk).update(archived_at=timezone.now() - timedelta(days=31))

        self.assert_refused(call(self.admin, "post", url("restore", self.group.pk)), 404)

    def test_afterwards_it_is_gone_for_good_with_all_that_hangs_on_it(self) -> None:
        milestone = make_milestone(self.group)
        make_task(milestone)
        removed = make_milestone(self.group, removed_at=timezone.now())
        make_task(removed, removed_at=timezone.now())
        make_message(group=self.group, author=self.student)
        PastMember.objects.create(group=self.group, user=self.outsider, role="student")
        self.archive()

        self.assertEqual(purge()["groups"], 1)

        for rows in (
            *(Group.everything, Milestone.everything, Task.everything),
            *(GroupMember.objects, PastMember.objects, Message.objects),
        ):
            self.assertFalse(rows.exists(), rows.model)
        self.assertEqual(self.restore().status_code, 404)
        self.assertTrue(User.objects.filter(pk=self.student.pk).exists())

    def test_any_number_goes_in_one_run(self) -> None:
        old = timezone.now() - timedelta(days=31)
        Group.objects.bulk_create(Group(id=f"OLD{n}", name="x", archived_at=old) for n in range(45))

        self.assertEqual(purge_groups()["groups"], 45)
        self.assertEqual(Group.everything.get(), self.group)


class FilesOfPurgedTests(ArchiveCase):
    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.enterContext(override_settings(MEDIA_ROOT=folder.name))

    def attached(self, *groups: Group, filename: str) -> Upload:
        """Return a stored file that hangs on a message in each of the groups."""
        file = SimpleUploadedFile(filename, b"agar", "text/plain")
        upload = store_upload(file, prefix="uploads", owner=self.student)
        for group in groups:
            MessageAttachment.objects.create(
                message=make_message(group=group, author=self.student),
                upload=upload,
                filename=filename,
                file_url=f"https://files.example/{upload.key}",
            )
        return upload

    def test_files_that_nobody_else_needs_go_with_it(self) -> None:
        other = make_group(members=[self.student])
        alone = self.attached(self.group, filename="alone.txt")
        shared = self.attached(self.group, other, filename="shared.txt")
        elsewhere = self.attached(other, filename="other.txt")
        self.archive()
        for upload in (alone, shared, elsewhere):
            self.assertTrue(default_storage.exists(upload.key))

        with self.captureOnCommitCallbacks(execute=True):
            purge()

        self.assertEqual(list(Upload.objects.order_by("pk")), [shared, elsewhere])
        kept = [default_storage.exists(upload.key) for upload in (alone, shared, elsewhere)]
        self.assertEqual(kept, [False, True, True])

    def test_a_file_that_hangs_on_two_purged_groups_goes_with_the_second(self) -> None:
        second = make_group(members=[self.student])
        upload = self.attached(self.group, second, filename="both.txt")
        self.archive()
        self.archive(second)

        with self.captureOnCommitCallbacks(execute=True):
            self.assertEqual(purge()["groups"], 2)

        self.assertFalse(Upload.objects.exists() or default_storage.exists(upload.key))
