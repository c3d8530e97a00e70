"""Who may open a resource's file and cover: asked again at each click (B86, D19; SAFETY B37)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from authentication.tests.signing_in import signed_in_client
from resources.models import Resource
from resources.tests.cases import ResourceCase, call, pdf, url
from resources.tests.factories import TEXT, published
from users.models import User
from users.tests.factories import make_user

if TYPE_CHECKING:
    from collections.abc import Callable


class FileRightsTests(ResourceCase):
    def setUp(self) -> None:
        super().setUp()
        self.resource = published(self.admin, role="mentor")
        self.put_cover(self.resource)
        document = self.document(self.mentor, self.resource)
        self.links = [document["url"], document["coverImage"]]

    def statuses(self, who: User | None = None) -> set[int]:
        return {self.open(link, who).status_code for link in self.links}

    def test_the_link_opens_for_whoever_it_was_made_for(self) -> None:
        """D19: also without a header, as the web client asks."""
        self.assertEqual(self.statuses(), {200})
        self.assertEqual(self.statuses(self.mentor), {200})
        self.assertEqual(self.open(self.links[0]).body, TEXT)

    def test_a_student_who_was_sent_the_link_opens_nothing_as_themselves(self) -> None:
        """D19: a mentor-only resource."""
        self.assertEqual(self.statuses(self.student), {404})
        client = signed_in_client(self.student)
        self.assertEqual({client.get(urlsplit(link).path).status_code for link in self.links}, {404})
        self.assertEqual(self.statuses(make_user(role="mentor")), {404})

    def test_nobody_opens_it_without_a_link(self) -> None:
        for link in self.links:
            key = link.partition("/resources/")[2]
            for path in (f"/media/resources/{key}", f"/media/x/resources/{key}"):
                with self.subTest(path):
                    self.assertEqual(self.open(path, self.admin).status_code, 404)

    def test_the_link_ends_with_the_right(self) -> None:
        """It is asked at each click."""
        mentors = User.objects.filter(pk=self.mentor.pk)
        rows = Resource.objects.filter(pk=self.resource.pk)
        losses: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "role": (lambda: mentors.update(role="student"), lambda: mentors.update(role="mentor")),
            "suspended": (lambda: mentors.update(status="inactive"), lambda: mentors.update(status="active")),
            "inactive": (lambda: mentors.update(is_active=False), lambda: mentors.update(is_active=True)),
            "audience": (lambda: rows.update(role="supervisor"), lambda: rows.update(role="mentor")),
        }
        for name, (lose, regain) in losses.items():
            with self.subTest(name):
                lose()
                self.assertEqual(self.statuses(), {404})
                regain()
                self.assertEqual(self.statuses(), {200})

    def test_it_ends_with_the_resource(self) -> None:
        call(self.admin, "delete", url("detail", self.resource.pk))

        self.assertEqual(self.statuses(), {404})

    def test_it_ends_with_the_file_that_it_leads_to(self) -> None:
        self.patch(self.resource, "multipart", file=pdf())
        self.put_cover(self.resource)

        self.assertEqual(self.statuses(), {404})

    def test_who_published_it_and_is_no_admin_any_more_opens_it_no_longer(self) -> None:
        self.links = [self.document(self.admin, self.resource)["url"]]
        self.assertEqual(self.statuses(), {200})

        User.objects.filter(pk=self.admin.pk).update(role="student")

        self.assertEqual(self.statuses(), {404})
