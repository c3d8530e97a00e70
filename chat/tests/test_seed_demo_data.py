"""``seed_demo_data`` (CONTRACT 17.3)."""

from __future__ import annotations

import os
from io import StringIO
from typing import Any
from unittest.mock import patch

from django.apps import apps
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings

from chat.models import Message
from core.roles import Role
from events.models import Event
from groups.models import Group
from resources.models import Resource
from users.models import User

IN_MEMORY = settings.STORAGES | {"default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}


def rows() -> dict[str, int]:
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


@override_settings(STORAGES=IN_MEMORY, PRODUCTION=False)
class SeedTests(TestCase):
    def seed(self, **environment: str) -> str:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DEMO_", "DJANGO_SUPER"))
        }
        output = StringIO()
        with patch.dict(os.environ, kept | environment, clear=True):
            call_command("seed_demo_data", stdout=output)
        return output.getvalue()

    def test_there_is_something_on_every_page(self) -> None:
        self.seed()

        group = Group.objects.get(id="BTF001")
        plan = [milestone.tasks.count() for milestone in group.milestones.all()]
        self.assertEqual((plan, group.members.count(), Message.objects.count()), ([2, 2, 2], 1, 2))
        self.assertEqual([event.registrations.count() for event in Event.objects.all()], [1])
        self.assertEqual(set(User.objects.values_list("role", flat=True)), set(Role))
        self.assertFalse(User.objects.filter(first_name="").exists())

    def test_files_are_really_stored(self) -> None:
        self.seed()

        for resource in Resource.objects.all():
            with self.subTest(resource=resource):
                self.assertGreater(default_storage.size(resource.file_url), 100)

    def test_twice_is_the_same_as_once(self) -> None:
        self.seed()
        once = rows()

        self.seed()

        self.assertEqual(rows(), once)

    def test_a_made_up_password_is_shown_once_and_works(self) -> None:
        """B107: there is none that others know."""
        first, second = self.seed(), self.seed()

        password = first.split(" (shown this once)")[0].split()[-1]
        self.assertTrue(User.objects.get(is_superuser=True).check_password(password))
        self.assertNotIn(password, second)

    def test_the_environment_names_people_group_and_password(self) -> None:
        names: dict[str, Any] = {
            "DJANGO_SUPERUSER_EMAIL": "Root@Example.net",
            "DJANGO_SUPERUSER_USERNAME": "root",
            "DJANGO_SUPERUSER_PASSWORD": "correct horse",
            "DEMO_STUDENT_EMAIL": "kid@example.net",
            "DEMO_GROUP_ID": "Team-7",
        }

        output = self.seed(**names)

        self.assertNotIn("correct horse", output)
        root = User.objects.get(email="root@example.net")
        self.assertEqual((root.username, root.check_password("correct horse")), ("root", True))
        self.assertTrue(User.objects.get(email="kid@example.net").memberships.filter(group_id="Team-7"))

    def test_a_value_that_cannot_be_is_one_line_and_nothing_is_left_behind(self) -> None:
        for name, value in (("DEMO_GROUP_ID", "a/b"), ("DEMO_MENTOR_EMAIL", "nobody")):
            with self.subTest(name=name), self.assertRaises(CommandError):
                self.seed(**{name: value})
            self.assertFalse(User.objects.exists())

    def test_production_refuses(self) -> None:
        with override_settings(PRODUCTION=True), self.assertRaisesMessage(CommandError, "DEBUG is off"):
            self.seed()

        self.assertFalse(User.objects.exists())
