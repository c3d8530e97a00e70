"""The queue of reported messages at the admin site: the same services as over the API, and no words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.messages import get_messages
from django.utils import timezone

from chat.models import Message, MessageReport
from chat.tests.desk import CONFIRMED, ChatDeskCase, make_desk, page
from chat.tests.factories import make_message
from core.models import AuditEvent
from core.testing import context_of
from groups.services.teams import archive_group
from users.tests.factories import make_user

LIST = page("messagereport", "changelist")


def make_report(*, days: int = 0, **fields: Any) -> MessageReport:
    message = fields.pop("message", None) or make_message()
    told = {"reporter": make_user(), "category": "spam", "created_at": timezone.now() - timedelta(days=days)}
    report: MessageReport = message.reports.create(**{**told, **fields})
    return report


class ReportDeskCase(ChatDeskCase):
    def listed(self, query: str = "") -> list[int]:
        return [report.pk for report in context_of(self.client, LIST + query)["cl"].result_list]

    def press(self, report: MessageReport, button: str, **sent: str) -> str:
        """Press a button of a report's page, confirm, and return what is said."""
        response = self.client.post(page("messagereport", button, report.pk), {**CONFIRMED, **sent})
        self.assertRedirects(
            response, page("messagereport", "change", report.pk), fetch_redirect_response=False
        )
        return [str(each) for each in get_messages(response.wsgi_request)][-1]

    def recorded(self) -> list[str]:
        events = AuditEvent.objects.filter(actor_id=self.admin.pk).order_by("pk")
        return list(events.values_list("action", flat=True))


class QueueTests(ReportDeskCase):
    def test_open_ones_come_first_and_of_those_the_oldest(self) -> None:
        settled = make_report(days=9, resolved_at=timezone.now())
        late, early = make_report(days=2), make_report(days=5)

        self.assertEqual(self.listed(), [early.pk, late.pk, settled.pk])

    def test_it_is_narrowed_by_what_waits_how_long_and_of_which_kind(self) -> None:
        settled = make_report(days=9, resolved_at=timezone.now())
        fresh, old = make_report(category="unsafe"), make_report(days=4)

        for query, expected in (
            ("?needs=open", [old, fresh]),
            ("?resolved_at__isempty=1", [old, fresh]),
            ("?needs=open_for_a_day", [old]),
            ("?needs=open_for_3_days", [old]),
            ("?needs=open_for_a_week", []),
            ("?needs=nonsense", [old, fresh, settled]),
            ("?category__exact=unsafe", [fresh]),
            (f"?q={fresh.message.group_id}", [fresh]),
        ):
            with self.subTest(query):
                self.assertEqual(self.listed(query), [report.pk for report in expected])

    def test_a_row_says_where_and_whose_message_and_how_long_it_waits(self) -> None:
        author = make_user(first_name="Ada", last_name="Lovelace")
        report = make_report(days=3, message=make_message(author=author))

        response = self.client.get(LIST)

        for told in (report.message.group_id, "Ada Lovelace", "3\xa0days"):
            self.assertContains(response, told)

    def test_nobody_judges_what_was_reported_of_themselves(self) -> None:
        own = make_report(message=make_message(author=self.admin))

        self.assertEqual(self.listed(), [])
        response = self.client.post(page("messagereport", "settle_report", own.pk), CONFIRMED)
        self.assertEqual(response.status_code, 404)
        own.refresh_from_db()
        self.assertIsNone(own.resolved_at)


class SettlingTests(ReportDeskCase):
    def choose(self, action: str, *reports: MessageReport, **sent: str) -> Any:
        chosen = {"action": action, "_selected_action": [report.pk for report in reports]}
        return self.client.post(LIST, {**chosen, **sent}, follow=True)

    def test_several_are_settled_once_the_number_is_confirmed(self) -> None:
        reports = [make_report(), make_report(), make_report(resolved_at=timezone.now())]

        asked = self.choose("settle", *reports)
        self.assertContains(asked, "Settle 2 reports")
        self.assertContains(asked, "It is settled already.")
        self.assertEqual(MessageReport.objects.open().count(), 2)
        done = self.choose("settle", *reports, **CONFIRMED)

        self.assertContains(done, "2 settled.")
        self.assertEqual(MessageReport.objects.open().count(), 0)
        self.assertEqual(self.recorded(), ["report_settled"] * 2)

    def test_one_is_settled_and_opened_again_on_its_page(self) -> None:
        report = make_report()

        asked = self.client.get(page("messagereport", "settle_report", report.pk))
        self.assertContains(asked, "Settle 1 report")
        self.assertEqual(self.press(report, "settle_report"), "Settle: done.")
        report.refresh_from_db()
        self.assertEqual(report.resolved_by, self.admin)
        self.assertEqual(self.press(report, "reopen_report"), "Open: done.")
        report.refresh_from_db()
        self.assertIsNone(report.resolved_at)

    def test_a_page_offers_what_would_change_something(self) -> None:
        report = make_report()
        shown = self.client.get(page("messagereport", "change", report.pk)).content.decode()

        for button, is_offered in (
            ("settle_report", True),
            ("reopen_report", False),
            ("hide_message", True),
            ("show_message", False),
            ("remove_message", True),
            ("restore_message", False),
        ):
            with self.subTest(button):
                self.assertEqual(page("messagereport", button, report.pk) in shown, is_offered)


class JudgingTests(ReportDeskCase):
    def test_a_message_is_hidden_with_a_note_and_shown_again(self) -> None:
        report = make_report()

        self.press(report, "hide_message", note="Not here.")
        message = Message.objects.get()
        self.assertEqual((message.moderation_status, message.moderation_note), ("rejected", "Not here."))
        self.press(report, "show_message")
        message.refresh_from_db()
        self.assertEqual((message.moderation_status, message.moderation_note), ("approved", "Not here."))
        self.press(report, "hold_message")
        message.refresh_from_db()
        self.assertEqual((message.moderation_status, message.moderated_by), ("pending", self.admin))
        self.assertEqual(self.recorded(), ["message_moderated"] * 3)

    def test_a_message_is_removed_and_restored(self) -> None:
        report = make_report()

        self.press(report, "remove_message")
        self.assertEqual(Message.objects.get().deleted_by, self.admin)
        self.press(report, "restore_message")

        self.assertFalse(Message.objects.get().is_deleted)
        self.assertEqual(self.recorded(), ["message_removed", "message_moderated"])

    def test_nothing_is_done_before_it_is_confirmed(self) -> None:
        report = make_report()

        for button in ("hide_message", "hold_message", "remove_message", "settle_report"):
            with self.subTest(button):
                url = page("messagereport", button, report.pk)
                self.assertEqual(self.client.get(url).status_code, 200)
                self.assertEqual(self.client.post(url, {"note": "x"}).status_code, 200)
        self.assertEqual(self.recorded(), [])

    def test_a_note_that_is_too_long_is_refused_at_its_field(self) -> None:
        url = page("messagereport", "hide_message", make_report().pk)

        response = self.client.post(url, {**CONFIRMED, "note": "x" * 5001})

        self.assertContains(response, "at most 5000 characters")
        self.assertEqual(self.recorded(), [])

    def test_a_refusal_is_a_message(self) -> None:
        report = make_report()
        archive_group(report.message.group, by=None)

        self.assertEqual(self.press(report, "hide_message"), "Not found.")
        self.assertEqual(Message.objects.get().moderation_status, "approved")

    def test_the_page_of_a_message_judges_too(self) -> None:
        message = make_message()

        self.client.post(page("message", "hide_message", message.pk), CONFIRMED)

        message.refresh_from_db()
        self.assertEqual(message.moderation_status, "rejected")

    def test_staff_who_are_no_platform_admins_look_and_judge_nothing(self) -> None:
        report = make_report()
        self.client.force_login(make_desk(role="mentor"))

        shown = self.client.get(page("messagereport", "change", report.pk))
        self.assertEqual(shown.status_code, 200)
        for button in ("open_text", "settle_report", "hide_message", "remove_message"):
            with self.subTest(button):
                url = page("messagereport", button, report.pk)
                self.assertNotContains(shown, url)
                self.assertEqual(self.client.post(url, CONFIRMED).status_code, 403)
        self.assertEqual(Message.objects.get().moderation_status, "approved")
