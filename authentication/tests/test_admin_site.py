"""Sessions at the admin site."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from authentication.models import SignInSession
from core.models import AuditEvent
from users.tests.factories import make_superuser, make_user

LIST = reverse("admin:authentication_signinsession_changelist")


class SessionPageTests(TestCase):
    def setUp(self) -> None:
        self.staff = make_superuser()
        self.client.force_login(self.staff)
        later = timezone.now() + timedelta(days=1)
        self.chosen, self.other = (
            SignInSession.objects.create(user=make_user(), expires_at=later) for _ in range(2)
        )

    def end(self, post: str = "yes") -> Any:
        sent = {"action": "end", "_selected_action": [self.chosen.pk], "post": post}
        return self.client.post(LIST, sent)

    def test_a_session_is_ended_and_the_others_go_on(self) -> None:
        self.end()

        self.assertEqual(list(SignInSession.objects.live()), [self.other])
        event = AuditEvent.objects.get(action="session_ended_by_admin")
        self.assertEqual((event.actor_id, event.object_id), (self.staff.pk, str(self.chosen.pk)))

    def test_it_is_asked_first_with_the_number_and_whose_they_are(self) -> None:
        asked = self.end(post="")

        self.assertContains(asked, "End 1 session")
        self.assertContains(asked, f"<li>{self.chosen.user}, a device without a name</li>")
        self.assertEqual(SignInSession.objects.live().count(), 2)

    def test_what_has_ended_already_is_left_out(self) -> None:
        self.end()

        self.assertContains(self.end(post=""), "<strong>1</strong>: It has ended already.")

    def test_more_than_the_bound_are_refused_in_words(self) -> None:
        with patch("core.admin.confirming.MOST_AT_ONCE", 1):
            sent = {"action": "end", "_selected_action": [self.chosen.pk], "select_across": "1"}
            answer = self.client.post(LIST, {**sent, "post": "yes"}, follow=True)

        self.assertContains(answer, "At most 1 at once.")
        self.assertEqual(SignInSession.objects.live().count(), 2)

    def test_staff_without_that_permission_end_none(self) -> None:
        self.client.force_login(make_user(is_staff=True))

        self.end()

        self.assertEqual(SignInSession.objects.live().count(), 2)
