"""What people read about each other: no address, no compliance data (D21; B34, B35)."""

from __future__ import annotations

from typing import Any

from django.test import TestCase
from django.urls import reverse
from rest_framework.test import APIClient

from users.models import SupervisorProfile, User
from users.models.documents import documents, linked
from users.serializers.people import UserBriefSerializer, UserSerializer
from users.tests.factories import make_admin, make_link, make_user

PERSONAL = ("@example.org", "WWCC-77", "0400 000 000", "Secret Lab")


class PrivacyTests(TestCase):
    student: User
    adult: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.student = make_user()
        cls.adult = make_user(role="supervisor")
        for user in (cls.student, cls.adult):
            SupervisorProfile.objects.create(
                user=user, organization="Secret Lab", phone_number="0400 000 000", wwcc_number="WWCC-77"
            )
        make_link(cls.student, cls.adult)

    def read(self, user: User, path: str) -> Any:
        client = APIClient()
        client.force_authenticate(user)
        return client.get(path).json()

    def brief(self, of: User, viewer: User) -> dict[str, Any]:
        return dict(UserBriefSerializer(of, context={"viewer": viewer}).data)

    def test_neither_end_of_a_link_reads_the_others_address_or_check(self) -> None:
        """B34, B35."""
        sides = ((self.student, "supervisors", "supervisor"), (self.adult, "supervisees", "student"))
        for viewer, many, one in sides:
            with self.subTest(viewer.role):
                brief = self.read(viewer, reverse("users:me"))[many][0][one]

                self.assertEqual((brief["email"], brief["supervisorProfile"]), ("", None))
                for word in PERSONAL:
                    self.assertNotIn(word, str(brief))

    def test_in_the_list_of_links_each_reads_their_own_end_alone(self) -> None:
        """B34, B35."""
        row = self.read(self.student, reverse("users:me-supervisors"))["results"][0]

        self.assertEqual(row["student"]["email"], self.student.email)
        self.assertEqual(row["student"]["supervisorProfile"]["wwccNumber"], "WWCC-77")
        self.assertEqual((row["supervisor"]["email"], row["supervisor"]["supervisorProfile"]), ("", None))

    def test_a_person_without_a_name_is_their_role_and_number(self) -> None:
        """B34."""
        self.assertEqual(self.brief(self.student, self.adult)["name"], f"Student {self.student.pk}")
        self.assertEqual(self.brief(self.adult, self.student)["name"], f"Supervisor {self.adult.pk}")

    def test_admins_read_all_of_it(self) -> None:
        for admin in (make_admin(), make_user(is_superuser=True)):
            with self.subTest(admin.role):
                brief = self.brief(self.adult, admin)

                self.assertEqual((brief["email"], brief["name"]), (self.adult.email, self.adult.email))
                self.assertEqual(brief["supervisorProfile"]["wwccNumber"], "WWCC-77")

    def test_staff_of_the_admin_site_alone_read_no_more_than_others(self) -> None:
        staff = make_user(is_staff=True)

        self.assertEqual(self.brief(self.adult, staff)["email"], "")

    def test_the_document_of_somebody_read_by_an_admin_is_open_in_its_briefs(self) -> None:
        row = linked(documents(User.objects.all()).get(pk=self.student.pk))
        body: Any = UserSerializer(row, context={"viewer": make_admin()}).data

        self.assertEqual(body["supervisors"][0]["supervisor"]["email"], self.adult.email)
