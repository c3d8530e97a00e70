"""Sessions at the admin site."""

from datetime import timedelta

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

    def end(self) -> None:
        self.client.post(LIST, {"action": "end", "_selected_action": [self.chosen.pk]})

    def test_a_session_is_ended_and_the_others_go_on(self) -> None:
        self.end()

        self.assertEqual(list(SignInSession.objects.live()), [self.other])
        event = AuditEvent.objects.get(action="session_ended_by_admin")
        self.assertEqual((event.actor_id, event.object_id), (self.staff.pk, str(self.chosen.pk)))

    def test_staff_without_that_permission_end_none(self) -> None:
        self.client.force_login(make_user(is_staff=True))

        self.end()

        self.assertEqual(SignInSession.objects.live().count(), 2)
