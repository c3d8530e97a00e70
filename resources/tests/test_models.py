"""What the table of resources allows, and who sees which row."""

from django.test import TestCase

from core.roles import Audience, Role
from resources.models import Resource
from users.tests.factories import make_user


class ResourceTests(TestCase):
    def test_each_role_sees_what_is_for_everyone_and_for_itself(self) -> None:
        for audience in Audience:
            Resource.objects.create(title=audience, type=Resource.Type.GUIDE, role=audience, file_url="a.pdf")

        for role in Role:
            seen = set(Resource.objects.visible_to(make_user(role=role)).values_list("title", flat=True))
            with self.subTest(role=role):
                self.assertEqual(seen, set(Audience) if role == Role.ADMIN else {Audience.ALL, role})

    def test_the_newest_comes_first(self) -> None:
        first, second = (Resource.objects.create(title=t, type="guide", file_url="a.pdf") for t in "ab")
        Resource.objects.update(created_at=second.created_at)

        self.assertEqual(list(Resource.objects.all()), [second, first])

    def test_it_is_for_everyone_unless_said_otherwise(self) -> None:
        resource = Resource.objects.create(title="Guide", type="guide", file_url="https://example.org/a.pdf")

        self.assertEqual((resource.role, resource.cover_image, resource.download_count), ("all", None, 0))
