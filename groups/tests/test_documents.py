"""People in documents of groups: quick to tell, and the same as everywhere."""

from __future__ import annotations

from django.test import SimpleTestCase

from groups.serializers.documents import People, person
from users.models import User
from users.names import Somebody


class PeopleTests(SimpleTestCase):
    def test_they_are_told_as_by_the_one_rule_on_names(self) -> None:
        viewers = [User(pk=1), User(pk=2), User(pk=2, role="admin")]
        for names in (("Ada", "Lovelace"), ("", "Lovelace"), (" ", ""), ("", "")):
            for viewer in viewers:
                with self.subTest(names=names, viewer=viewer.pk, role=viewer.role):
                    somebody = (1, *names, "a@b.example", "mentor")
                    self.assertEqual(People(viewer)(*somebody), person(Somebody(*somebody), viewer))

    def test_nobody_is_null(self) -> None:
        self.assertIsNone(People(User(pk=1))(None, None, None, None, None))
