"""Names: what is told of a row that holds no more than a name is what is told of the account."""

from __future__ import annotations

from django.test import SimpleTestCase

from users.models import User
from users.names import COLUMNS, Somebody

NAMES = [("Ada", "Lovelace"), ("Ada", ""), ("", "Lovelace"), (" ", " "), ("", "")]
ROLES = ["student", "supervisor", "admin", "of old"]


class NamesTests(SimpleTestCase):
    def test_a_row_is_called_as_its_account_whoever_asks(self) -> None:
        viewers = [User(pk=1), User(pk=2), User(pk=2, role="admin"), User(pk=2, is_superuser=True)]
        for first_name, last_name in NAMES:
            for role in ROLES:
                user = User(pk=1, first_name=first_name, last_name=last_name, email="a@b.example", role=role)
                row = Somebody(*(getattr(user, column) for column in COLUMNS))
                for viewer in viewers:
                    with self.subTest(first_name=first_name, last_name=last_name, role=role):
                        self.assertEqual(row.name_for(viewer), user.name_for(viewer))

    def test_without_a_name_it_is_the_address_for_oneself_and_admins_else_role_and_number(self) -> None:
        nobody = Somebody(7, "", "", "a@b.example", "mentor")

        told = [nobody.name_for(viewer) for viewer in (User(pk=7), User(pk=8, role="admin"), User(pk=8))]

        self.assertEqual(told, ["a@b.example", "a@b.example", "Mentor 7"])
