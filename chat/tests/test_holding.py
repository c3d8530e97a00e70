"""A conversation that is held stays so until a transaction ends."""

from __future__ import annotations

from django.db import transaction
from django.db.transaction import TransactionManagementError
from django.test import TransactionTestCase

from chat.services.holding import hold_conversation
from groups.tests.factories import make_group
from users.tests.factories import make_user


class HoldingTests(TransactionTestCase):
    def test_it_is_held_in_a_transaction_only(self) -> None:
        student = make_user()
        group = make_group(members=[student])

        with self.assertRaises(TransactionManagementError):
            hold_conversation(group.pk, by=student)
        with transaction.atomic():
            self.assertEqual(hold_conversation(group.pk, by=student).group, group)
