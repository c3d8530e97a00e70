"""What inboxes show of what people were told: the rule of audiences as it is for them now, in its time."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar

import time_machine
from django.test import TestCase
from django.urls import reverse

from announcements.models import Announcement
from announcements.tests.factories import hours
from authentication.tests.signing_in import signed_in_client
from core.models import Delivery, Notice
from core.notifications.inbox import inbox_of, mark_read, news_of, standings_of, unread_count
from core.notifications.retention import documents_of
from core.roles import Audience, Role
from users.tests.factories import make_user

if TYPE_CHECKING:
    from users.models import User

LIST, UNREAD = reverse("notifications:notification-list"), reverse("notifications:notification-unread")


def make_notice(subject: str = "1", **fields: Any) -> Notice:
    return Notice.objects.create(kind="news", subject=subject, data={"title": subject}, **fields)


def in_sight(person: User) -> list[str]:
    """Return the subjects of what somebody's inbox shows, oldest first."""
    rows = Delivery.objects.filter(person=person).in_sight().order_by("pk")
    return list(rows.values_list("notice__subject", flat=True))


class AudienceTests(TestCase):
    def test_it_is_what_the_rule_of_audiences_shows(self) -> None:
        """The same set as ``AudienceQuerySet.visible_to``, for whoever there is."""
        notices = [make_notice(one, audience=one) for one in Audience]
        for one in Audience:
            Announcement.objects.create(title=one, summary="x", audience=one)
        for role, flags in product(Role, ({}, {"is_staff": True}, {"is_superuser": True})):
            person = make_user(role=role, **flags)
            Delivery.objects.bulk_create(Delivery(notice=notice, person=person) for notice in notices)
            seen = Announcement.objects.visible_to(person).values_list("audience", flat=True)
            with self.subTest(role, **flags):
                self.assertEqual(set(in_sight(person)), set(seen))

    def test_what_names_its_people_is_shown_to_each_of_them(self) -> None:
        notice = make_notice()
        for role in Role:
            person = make_user(role=role)
            Delivery.objects.create(notice=notice, person=person)
            with self.subTest(role):
                self.assertEqual(in_sight(person), ["1"])

    def test_who_changes_their_role_is_shown_what_is_for_them_now(self) -> None:
        person = make_user(role=Role.STUDENT)
        for one in Audience:
            Delivery.objects.create(notice=make_notice(one, audience=one), person=person)
        for role, expected in (
            (Role.STUDENT, [Audience.ALL, Audience.STUDENT]),
            (Role.MENTOR, [Audience.ALL, Audience.MENTOR]),
            (Role.ADMIN, list(Audience)),
            (Role.STUDENT, [Audience.ALL, Audience.STUDENT]),
        ):
            person.role = role
            person.save()
            with self.subTest(role):
                self.assertCountEqual(in_sight(person), expected)

    def test_whoever_was_not_told_has_no_row_whatever_their_role(self) -> None:
        make_notice(audience=Audience.ALL)

        self.assertEqual(in_sight(make_user(role=Role.ADMIN)), [])


class TimeTests(TestCase):
    user: ClassVar[User]
    admin: ClassVar[User]

    @classmethod
    def setUpTestData(cls) -> None:
        cls.user, cls.admin = make_user(), make_user(role=Role.ADMIN)

    def test_it_is_shown_from_its_first_moment_until_its_last(self) -> None:
        now = hours(0)
        with time_machine.travel(now, tick=False):
            for name, begins, ends, is_shown in (
                ("always", None, None, True),
                ("begun", hours(-1), None, True),
                ("begins now", now, None, True),
                ("to come", hours(0.001), None, False),
                ("goes on", None, hours(0.001), True),
                ("ends now", None, now, False),
                ("over", None, hours(-1), False),
                ("between", hours(-1), hours(1), True),
                ("over and to come", hours(1), hours(-1), False),
            ):
                notice = make_notice(name, shown_from=begins, shown_until=ends)
                for person in (self.user, self.admin):
                    Delivery.objects.create(notice=notice, person=person)
                    with self.subTest(name, role=person.role):
                        self.assertEqual(name in in_sight(person), is_shown)

    def test_what_is_for_no_inbox_is_never_shown(self) -> None:
        Delivery.objects.create(notice=make_notice(), person=self.user, in_inbox=False)

        self.assertEqual(in_sight(self.user), [])


class EverywhereTests(TestCase):
    """One row that is shown, and two that are not: of another audience, and to come."""

    user: ClassVar[User]
    shown: ClassVar[Delivery]
    hidden: ClassVar[list[Delivery]]

    @classmethod
    def setUpTestData(cls) -> None:
        cls.user = make_user()
        cls.shown, *cls.hidden = (
            Delivery.objects.create(notice=notice, person=cls.user)
            for notice in (
                make_notice("shown", audience=Audience.STUDENT, shown_from=hours(-1)),
                make_notice("others", audience=Audience.MENTOR),
                make_notice("to come", shown_from=hours(1)),
            )
        )

    def test_list_and_badge_have_what_is_shown_alone(self) -> None:
        client = signed_in_client(self.user)

        body = client.get(LIST).json()
        self.assertEqual((body["count"], [row["id"] for row in body["results"]]), (1, [self.shown.pk]))
        self.assertEqual(client.get(UNREAD).json(), {"unread": 1})

    def test_sockets_tell_what_is_shown_alone(self) -> None:
        news = news_of(self.user, after=0, known=())

        self.assertEqual([row.id for row in news.rows], [self.shown.pk])
        self.assertEqual((news.ids, news.unread, news.newest), ([self.shown.pk], 1, self.shown.pk))
        self.assertEqual(standings_of([self.user.pk]), {self.user.pk: (1, self.shown.pk)})

    def test_what_is_not_shown_is_not_marked_as_read(self) -> None:
        client = signed_in_client(self.user)
        for row in self.hidden:
            path = reverse("notifications:notification-read", args=[row.pk])
            self.assertEqual(client.post(path).status_code, 404)
        mark_read(self.user, [row.pk for row in self.hidden])
        mark_read(self.user)

        self.assertEqual(list(Delivery.objects.unread().order_by("pk")), self.hidden)

    def test_what_is_shown_again_is_as_unread_as_before(self) -> None:
        mark_read(self.user)
        self.assertEqual(unread_count(self.user), 0)

        Notice.objects.update(audience="", shown_from=None)

        self.assertEqual(unread_count(self.user), 2)
        self.assertEqual(list(inbox_of(self.user).unread()), self.hidden[::-1])

    def test_ones_own_data_have_no_words_of_what_is_not_shown(self) -> None:
        told: Any = dict(documents_of(self.user))["notifications"]

        self.assertEqual([row["about"] for row in told], [{"title": "shown"}, None, None])
