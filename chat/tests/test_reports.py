"""Telling moderators of a message, and settling what was told (SAFETY B25)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from unittest import skipUnless

from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from authentication.tests.signing_in import signed_in_client
from chat.models import Message, MessageReport
from chat.tests.cases import STATES, UNKNOWN_ID, ChatCase
from chat.tests.factories import make_message
from core.models import AuditEvent
from core.testing import in_parallel
from groups.models import GroupMember
from groups.services.teams import archive_group
from groups.tests.cases import call
from groups.tests.factories import make_group
from users.tests.factories import make_superuser, make_user

if TYPE_CHECKING:
    from users.models import User

ALL: Final = "/api/admin/message-reports/"


class ReportCase(ChatCase):
    def report(self, message_id: int, who: User | None = None, **body: Any) -> Any:
        path = self.url("group-message-report", message_id)
        return call(who or self.friend, "post", path, {"category": "bullying", **body})

    def told(self, who: User, **query: Any) -> list[dict[str, Any]]:
        """Return the group's reports as somebody reads them."""
        response = call(who, "get", self.url("group-reports"), **query)
        self.assertEqual(response.status_code, 200, response.content)
        rows: list[dict[str, Any]] = response.json()["results"]
        return rows

    def settle(self, who: User, report_id: int, **body: Any) -> Any:
        return call(who, "patch", self.url("group-report-detail", report_id), {"resolved": True, **body})


class ReportingTests(ReportCase):
    def test_anybody_in_the_group_tells_and_is_told_what_they_said(self) -> None:
        message = self.write().pk

        for role, who in self.readers.items():
            if role == "author":
                continue
            with self.subTest(role):
                answer = self.report(message, who, note=" He did ")
                created = answer.json()
                self.assertEqual(answer.status_code, 201)
                self.assertEqual((created["category"], created["note"]), ("bullying", "He did"))
                self.assertEqual(set(created), {"id", "category", "note", "createdAt"})

    def test_telling_again_is_the_same_report(self) -> None:
        message = self.write().pk
        first = self.report(message).json()

        again = self.report(message, category="spam", note="More")

        self.assertEqual((again.status_code, again.json()), (200, first))
        self.assertEqual(MessageReport.objects.count(), 1)

    def test_ones_own_message_is_not_reported(self) -> None:
        response = self.report(self.write().pk, self.student)

        self.assert_refused(response, 400)
        self.assertEqual(response.json()["code"], "own_message")

    def test_what_is_not_there_or_not_for_them_is_missing(self) -> None:
        elsewhere = self.write(group=make_group(members=[self.friend])).pk
        hidden = [self.write(**STATES[state]).pk for state in ("pending", "rejected", "removed")]

        for message in (*hidden, elsewhere, UNKNOWN_ID):
            with self.subTest(message):
                self.assert_refused(self.report(message), 404)
        self.assert_refused(self.report(self.write().pk, self.outsider), 403)

    def test_a_body_that_is_none_is_refused(self) -> None:
        message = self.write().pk

        bad: dict[str, tuple[Any, ...]] = {
            "category": ("", "rude", 5, None, []),
            "note": (5, None, "a\0", "x" * 2_001),
        }
        for name, values in bad.items():
            for value in values:
                with self.subTest(name, value=str(value)[:10]):
                    self.assert_refused(self.report(message, **{name: value}), 400, name)

    def test_the_log_does_not_say_who_told(self) -> None:
        self.report(self.write().pk, note="Secret")

        row = AuditEvent.objects.get(action="message_reported")

        self.assertEqual((row.actor_id, row.address), (None, None))
        self.assertNotIn("Secret", str(row.changes))


class ReadingReportsTests(ReportCase):
    def test_moderators_read_what_was_told_and_not_who_told(self) -> None:
        message = self.write(text="Mean words")
        report = self.report(message.pk, note="Look").json()

        for who in (self.mentor, self.supervisor):
            with self.subTest(who.role):
                (row,) = self.told(who)
                moment = message.created_at.isoformat().replace("+00:00", "Z")
                said = {
                    "id": message.pk,
                    "groupId": "BTF046",
                    "author": {"id": self.student.pk, "name": "Ada Lovelace"},
                    "text": "Mean words",
                    "timestamp": moment,
                    "isDeleted": False,
                }
                told = {"reportedText": "Mean words", "resolvedAt": None, "reporter": None, "message": said}
                self.assertEqual(row, {**report, **told})

    def test_what_was_reported_is_kept_as_it_was_though_its_author_changes_it(self) -> None:
        message = self.write(text="Mean words")
        self.report(message.pk)
        call(self.student, "patch", self.url("group-message-detail", message.pk), {"text": "Kind words"})

        (row,) = self.told(self.mentor)

        self.assertEqual((row["reportedText"], row["message"]["text"]), ("Mean words", "Kind words"))

    def test_admins_read_who_told(self) -> None:
        self.report(self.write().pk)
        teller = {"id": self.friend.pk, "name": f"Student {self.friend.pk}"}

        for who in (self.admin, make_superuser()):
            for rows in (self.told(who), call(who, "get", ALL).json()["results"]):
                self.assertEqual([row["reporter"] for row in rows], [teller])

    def test_an_admin_neither_reads_nor_settles_what_was_told_of_themselves(self) -> None:
        self.report(self.write(author=self.admin).pk)
        report = MessageReport.objects.get().pk

        self.assertEqual(self.told(self.admin), [])
        self.assertEqual(call(self.admin, "get", ALL).json()["results"], [])
        self.assert_refused(call(self.admin, "patch", f"{ALL}{report}/", {"resolved": True}), 404)

    def test_admins_settle_reports_of_archived_groups(self) -> None:
        self.report(self.write().pk)
        archive_group(self.group, by=self.admin)

        path = f"{ALL}{MessageReport.objects.get().pk}/"

        self.assertEqual(call(self.admin, "patch", path, {"resolved": True}).status_code, 200)

    def test_nobody_else_reads_them(self) -> None:
        self.report(self.write().pk)

        for who in (self.student, self.friend, self.outsider, make_user(is_staff=True)):
            with self.subTest(who.pk):
                self.assert_refused(call(who, "get", self.url("group-reports")), 403)
        for who in (self.student, self.mentor, self.supervisor, make_user(is_staff=True)):
            self.assert_refused(call(who, "get", ALL), 403)

    def test_a_moderator_never_reads_or_settles_what_was_told_of_themselves(self) -> None:
        report = self.report(self.write(author=self.mentor).pk).json()["id"]

        self.assertEqual(self.told(self.mentor), [])
        self.assert_refused(self.settle(self.mentor, report), 404)
        for who in (self.supervisor, self.admin):
            self.assertEqual([row["id"] for row in self.told(who)], [report])
            self.assertEqual(self.settle(who, report).status_code, 200)

    def test_a_mentor_who_is_a_student_moderates_nothing(self) -> None:
        """B48."""
        type(self.group).objects.update(mentor=self.friend)

        self.assert_refused(call(self.friend, "get", self.url("group-reports")), 403)

    def test_a_report_outlives_the_message_its_author_and_who_told(self) -> None:
        message = self.write(text="Mean words").pk
        report = self.report(message).json()["id"]
        self.remove(self.student, message)
        self.student.delete()
        self.friend.delete()

        (row,) = self.told(self.admin)

        self.assertEqual((row["id"], row["reporter"], row["message"]["isDeleted"]), (report, None, True))
        self.assertEqual((row["message"]["text"], row["message"]["author"]["id"]), ("Mean words", 0))

    def test_a_list_costs_the_same_however_long_it_is(self) -> None:
        for who, path in ((self.mentor, self.url("group-reports")), (self.admin, ALL)):
            client, costs = signed_in_client(who), []
            for count in (1, 18):
                rows = Message.objects.bulk_create(
                    Message(group=self.group, author=make_user(), text="x") for _ in range(count)
                )
                MessageReport.objects.bulk_create(
                    MessageReport(message=row, reporter=self.friend, category="spam") for row in rows
                )
                with CaptureQueriesContext(connection) as captured:
                    self.assertEqual(client.get(path).status_code, 200)
                costs.append(len(captured))
            with self.subTest(path):
                self.assertEqual(costs[0], costs[1])


class SettlingTests(ReportCase):
    def test_a_report_is_closed_and_opened_again(self) -> None:
        report = self.report(self.write().pk).json()["id"]

        for resolved, is_open in ((True, 0), (True, 0), (False, 1)):
            answer = self.settle(self.mentor, report, resolved=resolved)
            with self.subTest(resolved):
                self.assertEqual(answer.status_code, 200)
                self.assertEqual(bool(answer.json()["resolvedAt"]), resolved)
                self.assertEqual(len(self.told(self.mentor, open="true")), is_open)
                self.assertEqual(len(self.told(self.mentor, open="false")), 1 - is_open)
        self.assertEqual(AuditEvent.objects.filter(action="report_settled").count(), 2)

    def test_moderators_and_admins_settle_and_nobody_else(self) -> None:
        report = self.report(self.write().pk).json()["id"]

        for who, status in (
            (self.student, 403),
            (self.friend, 403),
            (self.outsider, 403),
            (self.mentor, 200),
            (self.supervisor, 200),
            (self.admin, 200),
        ):
            with self.subTest(who.role):
                self.assertEqual(self.settle(who, report).status_code, status)
        for who, status in ((self.mentor, 403), (self.friend, 403), (self.admin, 200)):
            answer = call(who, "patch", f"{ALL}{report}/", {"resolved": True})
            self.assertEqual(answer.status_code, status)

    def test_another_groups_report_is_missing(self) -> None:
        other = make_group(members=[self.friend], mentor=self.mentor)
        message = make_message(group=other)
        report = MessageReport.objects.create(message=message, reporter=self.friend, category="spam")

        for who in (self.mentor, self.admin):
            for pk in (report.pk, UNKNOWN_ID):
                self.assert_refused(self.settle(who, pk), 404)

    def test_a_body_that_is_none_is_refused(self) -> None:
        report = self.report(self.write().pk).json()["id"]

        bad: tuple[Any, ...] = ("maybe", None, [], {}, 5)
        for value in bad:
            with self.subTest(value):
                self.assert_refused(self.settle(self.mentor, report, resolved=value), 400, "resolved")


@skipUnless(connection.vendor == "postgresql", "races need a database that runs writers side by side")
class RaceTests(TransactionTestCase):
    def test_telling_ten_times_at_once_is_one_report(self) -> None:
        cache.clear()
        message, who = make_message(), make_user()
        GroupMember.objects.create(group=message.group, user=who)
        path = reverse("chat:group-message-report", args=[message.group_id, message.pk])

        answers: list[Any] = in_parallel(lambda _: call(who, "post", path, {"category": "spam"}), 10)

        self.assertEqual(sorted(answer.status_code for answer in answers), [200] * 9 + [201])
        self.assertEqual(MessageReport.objects.count(), 1)
