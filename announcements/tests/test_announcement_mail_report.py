"""What admins read of an announcement's mail: whom it reaches, how it looks, how far it is. And the cost."""

from __future__ import annotations

from typing import Any

from django.core import mail
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from announcements.services.mail_report import mail_report
from announcements.tests.cases import MailedNewsCase, call, url
from announcements.tests.factories import hours, make_announcement
from authentication.tests.signing_in import signed_in_client
from core.models import Delivery, MailTrouble, NotificationChoice
from users.models import User
from users.tests.factories import make_superuser, make_user

NOTHING_YET = {state.value: 0 for state in Delivery.State}


class ReportTests(MailedNewsCase):
    def report(self, news: Any, who: User | None = None) -> Any:
        response = call(who or self.admin, "get", url("mail", news.pk))
        self.assertEqual(response.status_code, 200, response.content)
        return response.json()

    def test_it_is_whole_before_anything_is_sent(self) -> None:
        body = self.report(make_announcement(title="Poster day", audience="student"))

        sample = body.pop("sample")
        self.assertEqual(
            body,
            {
                "requestedAt": None,
                "recipients": 2,
                "audience": 2,
                "atOnce": 2,
                "daily": 0,
                "off": 0,
                "troubled": 0,
                "states": NOTHING_YET,
                "isUnderWay": False,
            },
        )
        self.assertEqual((set(sample), sample["subject"]), ({"subject", "text", "html"}, "Poster day"))

    def test_each_person_is_counted_once_by_what_they_would_get(self) -> None:
        people = {name: make_user() for name in ("off", "daily", "neither", "bounced", "moved")}
        self.want(people["off"], "off")
        self.want(people["daily"], "daily")
        self.want(people["neither"], "daily")
        self.want(people["neither"], "off", kind="daily")
        self.want(people["bounced"], "off")
        self.want(people["moved"], "off", kind="event_seat")
        MailTrouble.objects.create(
            person=people["bounced"], address=people["bounced"].email.upper(), cause="bounced"
        )
        MailTrouble.objects.create(person=people["moved"], address="former@example.org", cause="bounced")
        make_user(status="inactive")

        body = self.report(make_announcement())

        counts = {
            name: body[name] for name in ("audience", "troubled", "off", "daily", "atOnce", "recipients")
        }
        self.assertEqual(
            counts, {"audience": 8, "troubled": 1, "off": 2, "daily": 1, "atOnce": 4, "recipients": 5}
        )

    def test_as_many_are_mailed_as_it_said(self) -> None:
        for pace in ("off", "daily", "now"):
            self.want(make_user(), pace)
        trouble = make_user()
        MailTrouble.objects.create(person=trouble, address=trouble.email, cause="complained")
        news = self.published()
        said = self.report(news)

        self.ask(news)
        states = self.report(news)["states"]

        self.assertEqual(len(mail.outbox), said["atOnce"])
        self.assertEqual(
            {name: number for name, number in states.items() if number},
            {
                "sent": said["atOnce"],
                "waiting": said["daily"],
                "none": said["off"],
                "dropped": said["troubled"],
            },
        )

    def test_it_tells_how_far_the_mail_has_got(self) -> None:
        news = self.queued()
        body = self.report(news)
        self.assertEqual((body["isUnderWay"], body["states"]["queued"]), (True, 3))
        self.assertIsNotNone(body["requestedAt"])

        self.send_all()
        Delivery.objects.filter(person=self.student).update(state="bounced")

        body = self.report(news)
        self.assertEqual(
            (body["isUnderWay"], body["states"]), (False, {**NOTHING_YET, "sent": 2, "bounced": 1})
        )

    def test_it_is_under_way_before_the_first_is_queued_and_not_before_its_time(self) -> None:
        with self.captureOnCommitCallbacks():
            now, later, untold = (
                self.created(**{"sendEmail": True, **more})
                for more in ({}, {"publishAt": hours(1).isoformat()}, {"sendEmail": False})
            )

        for body, under_way in ((now, True), (later, False), (untold, False)):
            with self.subTest(body["state"], under_way=under_way):
                report = call(self.admin, "get", url("mail", body["id"])).json()
                self.assertEqual(report["isUnderWay"], under_way)

    def test_the_sample_is_the_mail_without_the_link_of_one_person(self) -> None:
        news = make_announcement(title="Poster day", content="Print it in **A1**.", author="Ann Desk")

        sample = self.report(news)["sample"]
        self.ask(news)

        (message,) = (one for one in mail.outbox if one.to == [self.admin.email])
        self.assertEqual(sample["subject"], message.subject)
        self.assertIn(sample["text"].strip(), message.body)
        self.assertIn("<strong", sample["html"])
        self.assertNotIn("unsubscribe", (sample["text"] + sample["html"]).lower())

    def test_others_than_admins_read_and_send_nothing(self) -> None:
        news = self.published()
        for who in (self.student, self.mentor, make_user(is_staff=True)):
            for method, name in (("get", "mail"), ("post", "mail"), ("post", "mail-test")):
                with self.subTest(who.role, method=method, name=name):
                    self.assert_refused(call(who, method, url(name, news.pk)), 403)
        self.assertEqual(mail.outbox, [])
        self.assertEqual(self.report(news, make_superuser())["audience"], 5)

    def test_one_that_is_not_there_is_missed(self) -> None:
        for method, name in (("get", "mail"), ("post", "mail"), ("post", "mail-test")):
            with self.subTest(method=method, name=name):
                self.assert_refused(call(self.admin, method, url(name, 10**6)), 404)

    @override_settings(API_WRITES_PER_USER="2/1h")
    def test_tests_take_from_the_budget_of_writes(self) -> None:
        client = signed_in_client(self.admin)
        path = url("mail-test", make_announcement().pk)

        self.assertEqual([client.post(path).status_code for _ in range(3)], [202, 202, 429])


class CostTests(MailedNewsCase):
    """An answer takes as many queries for 3 people as for 500: what is to be done for each is a worker's."""

    def setUp(self) -> None:
        super().setUp()
        self.api = signed_in_client(self.admin)

    def cost(self, method: str, path: str, body: Any = None) -> int:
        with CaptureQueriesContext(connection) as queries, self.captureOnCommitCallbacks():
            response: Any = getattr(self.api, method)(path, body, format="json")
        self.assertIn(response.status_code, {200, 201, 202}, response.content)
        return len(queries)

    def costs(self) -> list[int]:
        body = {"title": "News", "summary": "Short", "sendEmail": True}
        asked, mailed = make_announcement(), self.queued()
        return [
            self.cost("post", url("list"), body),
            self.cost("post", url("mail", asked.pk)),
            self.cost("get", url("mail", mailed.pk)),
            self.cost("post", url("mail-test", mailed.pk)),
        ]

    def test_no_answer_waits_for_the_number_of_people(self) -> None:
        self.costs()
        few = self.costs()
        people = User.objects.bulk_create(
            User(username=f"p{n}", email=f"p{n}@example.org", status="active") for n in range(500)
        )
        NotificationChoice.objects.bulk_create(
            NotificationChoice(person=one, kind="announcement", pace="daily") for one in people[::2]
        )

        self.assertEqual(self.costs(), few)
        self.assertEqual(self.report_queries(), 5)

    def report_queries(self) -> int:
        news = self.queued()
        with CaptureQueriesContext(connection) as queries:
            mail_report(news, to=self.admin)
        return len(queries)
