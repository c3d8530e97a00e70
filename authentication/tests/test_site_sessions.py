"""A session of the admin site ends at once with what it was opened for."""

from __future__ import annotations

from typing import Any

from authentication.sessions import sign_out_everywhere
from authentication.tests.at_site import SiteTestCase
from users.models import User
from users.services.accounts import change_account, change_status
from users.tests.factories import make_superuser


class EndTests(SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.boss = make_superuser()
        self.type_code(self.mailed().code)
        assert self.is_in()

    def change(self, **account: Any) -> None:
        change_account(User.objects.get(pk=self.person.pk), by=self.boss, account=account)

    def test_suspension_ends_it(self) -> None:
        change_status(self.person, status=User.Status.INACTIVE, by=self.boss)

        self.assertFalse(self.is_in())

    def test_an_account_that_is_switched_off_has_none(self) -> None:
        self.change(is_active=False)

        self.assertFalse(self.is_in())

    def test_demotion_ends_it_and_a_promotion_later_brings_it_not_back(self) -> None:
        self.change(is_staff=False)
        self.assertFalse(self.is_in())

        self.change(is_staff=True)

        self.assertFalse(self.is_in())

    def test_a_desk_that_waits_for_approval_again_opens_nothing(self) -> None:
        self.change(status=User.Status.PENDING)

        self.assertFalse(self.is_in())

    def test_another_role_or_address_ends_it(self) -> None:
        self.change(role="mentor")
        self.assertFalse(self.is_in())

    def test_another_address_ends_it(self) -> None:
        self.change(email="else@example.org")

        self.assertFalse(self.is_in())

    def test_signing_out_everywhere_ends_it(self) -> None:
        sign_out_everywhere(self.person)

        self.assertFalse(self.is_in())

    def test_rights_that_go_past_every_service_are_asked_at_the_next_request(self) -> None:
        User.objects.filter(pk=self.person.pk).update(is_staff=False)

        self.assertFalse(self.is_in())

    def test_a_superuser_works_there_without_the_other_flag(self) -> None:
        """The first one is made at the command line: nobody could approve it."""
        first = User.objects.create_superuser(email="first@example.org", password="x")
        User.objects.filter(pk=first.pk).update(is_staff=False, status=User.Status.PENDING)
        self.client.logout()

        self.type_code(self.mailed("first@example.org").code)

        self.assertTrue(self.is_in())
