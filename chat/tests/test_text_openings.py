"""What was said opens at the admin site to a platform admin who says why, and that is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.models import TextOpening
from chat.personal import documents_of
from chat.retention import prune_text_openings
from chat.tests.desk import ChatDeskCase, make_desk, page
from chat.tests.factories import make_message
from core.models import AuditEvent
from groups.tests.factories import make_group
from users.services.erasure import erase_person
from users.tests.factories import make_superuser, make_user

if TYPE_CHECKING:
    from chat.models import Message
    from users.models import User

REASON = "Reported as bullying, report 7"


class OpeningCase(ChatDeskCase):
    author: User
    message: Message
    url: str

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.author = make_user(first_name="Ada", last_name="Lovelace")
        cls.message = make_message(text="Meet me behind the lab", author=cls.author)
        cls.url = page("message", "open_text", cls.message.pk)

    def opened(self, reason: str = REASON, message: Message | None = None) -> Any:
        url = page("message", "open_text", message.pk) if message else self.url
        return self.client.post(url, {"reason": reason})


class OpeningTests(OpeningCase):
    def test_the_page_of_a_message_leads_to_the_question_and_says_nothing_itself(self) -> None:
        shown = self.client.get(page("message", "change", self.message.pk))
        asked = self.client.get(self.url)

        self.assertContains(shown, f'href="{self.url}"')
        for response in (shown, asked):
            self.assertNotContains(response, "behind the lab")
        self.assertFalse(TextOpening.objects.exists())

    def test_a_reason_opens_it_once_and_is_written_down(self) -> None:
        response = self.opened(f"  {REASON}\n")

        self.assertContains(response, "Meet me behind the lab")
        self.assertContains(response, "Ada Lovelace")
        self.assertNotContains(self.client.get(self.url), "behind the lab")
        opening = TextOpening.objects.get()
        self.assertEqual(
            (opening.actor_id, opening.message_id, opening.group_id, opening.reason),
            (self.admin.pk, self.message.pk, self.message.group_id, REASON),
        )
        event = AuditEvent.objects.get(action="chat_text_opened")
        self.assertEqual(
            (event.actor_id, event.object_type, event.object_id, event.changes),
            (self.admin.pk, "chat.message", str(self.message.pk), {"group": self.message.group_id}),
        )

    def test_without_a_reason_that_says_something_it_stays_closed(self) -> None:
        for reason in ("", "too short", " " * 40, "a         b", "x" * 501):
            with self.subTest(reason):
                response = self.opened(reason)
                self.assertEqual(response.status_code, 200)
                self.assertNotContains(response, "behind the lab")
        self.assertEqual((TextOpening.objects.count(), AuditEvent.objects.count()), (0, 0))

    def test_it_comes_with_five_messages_before_it_and_five_after_it_of_its_own_conversation(self) -> None:
        group = make_group()
        rows = [make_message(group=group, text=f"Word{n:02}.") for n in range(20)]
        make_message(text="Elsewhere")

        shown = self.opened(message=rows[10]).content.decode()

        self.assertEqual([n for n in range(20) if f"Word{n:02}." in shown], list(range(5, 16)))
        self.assertNotIn("Elsewhere", shown)

    def test_removed_ones_and_what_was_reported_and_attached_are_part_of_it(self) -> None:
        self.message.is_deleted = True
        self.message.save()
        self.message.attachments.create(file_url="https://cdn.example.org/plan.pdf", filename="holiday.pdf")
        self.message.reports.create(
            reporter=make_user(), category="unsafe", note="She is afraid", reported_text="As it was"
        )

        response = self.opened()

        for told in ("Meet me behind the lab", "removed", "holiday.pdf", "She is afraid", "As it was"):
            self.assertContains(response, told)

    def test_no_browser_keeps_it_and_no_title_nor_history_tells_it(self) -> None:
        response = self.opened()

        self.assertIn("no-store", response.headers["Cache-Control"])
        title = response.content.decode().partition("<title>")[2].partition("</title>")[0]
        self.assertNotIn("Meet", title)
        self.assertFalse(LogEntry.objects.exists())

    def test_markup_in_a_message_is_text(self) -> None:
        message = make_message(text="<script>alert(1)</script>")

        self.assertContains(self.opened(message=message), "&lt;script&gt;alert(1)")

    def test_a_message_that_is_not_there_is_missed(self) -> None:
        for pk in (0, 2**63, "x"):
            with self.subTest(pk):
                url = self.url.replace(f"/{self.message.pk}/", f"/{pk}/")
                self.assertEqual(self.client.post(url, {"reason": REASON}).status_code, 404)

    def test_it_costs_the_same_whatever_is_around_it(self) -> None:
        group = make_group()
        costs = []
        for _ in range(2):
            rows = [make_message(group=group) for _ in range(3)]
            with CaptureQueriesContext(connection) as captured:
                self.opened(message=rows[1])
            costs.append(len(captured))

        self.assertEqual(costs[0], costs[1])


class WhoOpensTests(OpeningCase):
    def test_platform_admins_of_the_staff_and_superusers_alone(self) -> None:
        for who, status in (
            (make_superuser(), 200),
            (make_desk(role="admin"), 200),
            (make_desk(role="mentor"), 403),
            (make_user(is_staff=True, status="active"), 403),
            (make_user(role="admin", status="active"), 302),  # not of the staff: to the sign-in
        ):
            with self.subTest(who.role, staff=who.is_staff):
                self.client.force_login(who)
                for response in (self.client.get(self.url), self.opened()):
                    self.assertEqual(response.status_code, status)
        self.assertEqual(TextOpening.objects.count(), 2)

    def test_a_page_of_another_site_opens_nothing(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(self.admin)

        self.assertEqual(client.post(self.url, {"reason": REASON}).status_code, 403)

    def test_who_looks_at_openings_is_a_platform_admin_and_changes_none(self) -> None:
        self.opened()
        opening, listed = TextOpening.objects.get(), page("textopening", "changelist")

        self.assertContains(self.client.get(listed), REASON)
        self.assertEqual(self.client.post(page("textopening", "delete", opening.pk)).status_code, 403)
        self.client.force_login(make_desk(role="mentor"))
        self.assertEqual(self.client.get(listed).status_code, 403)


class AskingByAddressTests(OpeningCase):
    def test_no_address_spells_a_message_out(self) -> None:
        for model, query in (
            ("message", "text__startswith=Meet"),
            ("message", "moderation_note__contains=x"),
            ("message", "attachments__filename__startswith=h"),
            ("message", "reply_to__text__contains=Meet"),
            ("messagereport", "note__contains=x"),
            ("messagereport", "reported_text__startswith=M"),
            ("messagereport", "message__text__startswith=M"),
            ("messagereport", "reporter__email__startswith=a"),
        ):
            with self.subTest(model, query=query):
                response = self.client.get(f"{page(model, 'changelist')}?{query}")
                self.assertEqual(response.status_code, 400)

    def test_the_search_finds_no_words(self) -> None:
        listed = self.client.get(f"{page('message', 'changelist')}?q=behind")

        self.assertEqual(list(listed.context["cl"].queryset), [])


class KeepingTests(OpeningCase):
    def test_erasing_who_wrote_it_or_who_opened_it_empties_the_reason_and_keeps_the_row(self) -> None:
        for person in (self.author, self.admin):
            self.client.force_login(self.admin)
            self.opened()
            with self.subTest(person.role):
                erase_person(person, by=make_superuser())
                self.assertEqual({opening.reason for opening in TextOpening.objects.all()}, {""})

    def test_erasing_anybody_else_leaves_the_reason(self) -> None:
        self.opened()

        erase_person(make_user(), by=make_superuser())

        self.assertEqual(TextOpening.objects.get().reason, REASON)

    def test_their_own_data_tells_admins_what_they_opened(self) -> None:
        self.opened()

        told = dict(documents_of(self.admin))["openedMessages"]
        rows = [(row["messageId"], row["reason"]) for row in cast("list[dict[str, Any]]", told)]

        self.assertEqual(rows, [(self.message.pk, REASON)])

    def test_it_is_forgotten_with_the_audit_log(self) -> None:
        self.opened()
        old = timezone.now() - timedelta(days=settings.AUDIT_RETENTION_DAYS, minutes=1)
        TextOpening.objects.create(actor_id=1, message_id=1, group_id="TEAM", reason=REASON, opened_at=old)

        self.assertEqual(prune_text_openings(), {"deleted": 1})
        self.assertEqual(TextOpening.objects.get().actor_id, self.admin.pk)
