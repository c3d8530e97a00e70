"""For whom something is: the rule has two ends, and they agree."""

from __future__ import annotations

from itertools import product

from django.test import TestCase

from announcements.models import Announcement
from core.audience import people_for
from core.roles import Audience, Role
from users.models import User
from users.tests.factories import make_user


class AudienceTests(TestCase):
    def test_whoever_sees_a_row_is_among_its_people_and_nobody_else(self) -> None:
        rows = [Announcement.objects.create(title=one, summary="x", audience=one) for one in Audience]
        people = [
            make_user(role=role, status=status, **flags)
            for role, status, flags in product(
                Role,
                User.Status,
                ({}, {"is_staff": True}, {"is_superuser": True}, {"is_active": False}),
            )
        ]
        for row in rows:
            named = set(people_for(row.audience))
            for person in people:
                sees = Announcement.objects.visible_to(person).filter(pk=row.pk).exists()
                with self.subTest(row.audience, role=person.role, status=person.status):
                    self.assertEqual(person in named, sees and person.may_enter)

    def test_an_audience_that_is_none_has_admins_alone(self) -> None:
        make_user()
        admin = make_user(role=Role.ADMIN)

        self.assertEqual(list(people_for("nobody")), [admin])
