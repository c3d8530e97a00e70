"""What outlives a change of SECRET_KEY: made by the old one, used by the new one, with a fallback or without.

``docs/OPERATIONS.md`` tells the same in a table ("Changing SECRET_KEY").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch
from urllib.parse import urlsplit
from uuid import uuid4

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.core.signing import TimestampSigner
from django.test import Client, SimpleTestCase, TestCase, TransactionTestCase, override_settings
from django.urls import reverse
from rest_framework.test import APIClient

from authentication.challenges import issue
from authentication.devices import COOKIE, browser_of
from authentication.sessions import open_session
from authentication.tasks import mail_sign_in
from authentication.tests.signing_in import bearer, redeem_code, redeem_link, refresh
from authentication.tests.sockets import PatientSocket
from btf_backend.routing import application
from core.notifications.unsubscribe import unsubscribe_link
from core.tests.files import sent, use_own_storage
from core.uploads.links import Links
from core.uploads.store import store_upload
from groups.tests.factories import make_group
from users.models import User
from users.tests.factories import make_admin, make_superuser, make_user
from users.tests.importing import check, csv_of, url

if TYPE_CHECKING:
    from collections.abc import Callable

    Use = Callable[[], object]

NEW: Final = "n" * 64
KEY: Final = {"Idempotency-Key": "k-1"}
ADDRESS: Final = "new@example.org"


def rotated(*, with_fallback: bool) -> Any:
    """Change the key as OPERATIONS.md says, or as is done where it has leaked."""
    older = [settings.SECRET_KEY] if with_fallback else []
    return override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=older)


class RotationCase(SimpleTestCase):
    def setUp(self) -> None:
        cache.clear()
        use_own_storage(self)
        self.user = make_user()
        self.pair = open_session(self.user, user_agent="")

    def assert_outcomes(self, make: Callable[[], Use], *, with_fallback: object, without: object) -> None:
        """Make it by the old key, and use it under the new one; each time another one."""
        for fallback, expected in ((True, with_fallback), (False, without)):
            use = make()
            with self.subTest(fallback=fallback), rotated(with_fallback=fallback):
                self.assertEqual(use(), expected)


class SocketTests(RotationCase, TransactionTestCase):
    def test_a_socket_by_token_and_by_ticket(self) -> None:
        async def first_frame(query: str) -> object:
            socket = PatientSocket(application, f"/ws/session/?{query}")
            await socket.connect()
            frame = await socket.receive_output()
            await socket.disconnect()
            return frame.get("code", "open")

        def by_token() -> Use:
            return lambda: async_to_sync(first_frame)(f"token={self.pair.access}")

        def by_ticket() -> Use:
            answer: Any = APIClient().post(reverse("socket-ticket"), **bearer(self.pair.access))
            ticket = answer.json()["ticket"]
            return lambda: async_to_sync(first_frame)(f"ticket={ticket}")

        for make in (by_token, by_ticket):
            self.assert_outcomes(make, with_fallback="open", without=4401)


class RotationTests(RotationCase, TestCase):
    def test_an_access_token(self) -> None:
        def make() -> Use:
            access = self.pair.access
            return lambda: APIClient().get(reverse("users:me"), **bearer(access)).status_code

        self.assert_outcomes(make, with_fallback=200, without=401)

    def test_a_refresh_token_yields_one_by_the_new_key(self) -> None:
        def make() -> Use:
            text = open_session(self.user, user_agent="").refresh

            def use() -> int:
                answer = refresh(APIClient(), text)
                if answer.status_code != 200:
                    return int(answer.status_code)
                with override_settings(SECRET_KEY_FALLBACKS=[]):
                    renewed = bearer(answer.json()["token"])
                    return int(APIClient().get(reverse("users:me"), **renewed).status_code)

            return use

        self.assert_outcomes(make, with_fallback=200, without=401)

    def test_a_session_of_the_admin_site(self) -> None:
        def make() -> Use:
            client = Client()
            client.force_login(make_superuser())
            return lambda: client.get(reverse("admin:index")).status_code

        self.assert_outcomes(make, with_fallback=200, without=302)

    def test_a_link_to_a_file(self) -> None:
        key = store_upload(sent("a.txt", b"x", "text/plain"), prefix="uploads", owner=self.user).key

        def make() -> Use:
            path = urlsplit(Links(self.user.pk, "http://testserver").to(key)).path

            def use() -> int:
                response: Any = APIClient().get(path)
                response.getvalue()
                return int(response.status_code)

            return use

        self.assert_outcomes(make, with_fallback=200, without=404)

    def test_a_calendar_feed_is_read_on_and_shown_by_a_known_key_alone(self) -> None:
        mine = reverse("events:my-calendar")
        client = APIClient()
        client.force_authenticate(self.user)

        def make() -> Use:
            answer: Any = client.post(mine)
            path = urlsplit(answer.json()["url"]).path

            def use() -> tuple[int, bool]:
                shown: Any = client.get(mine)
                return APIClient().get(path).status_code, bool(shown.json()["url"])

            return use

        self.assert_outcomes(make, with_fallback=(200, True), without=(200, False))

    def test_a_way_out_of_mail(self) -> None:
        def make() -> Use:
            path = urlsplit(unsubscribe_link(self.user.pk, "daily")).path
            return lambda: APIClient().get(path).status_code

        self.assert_outcomes(make, with_fallback=200, without=404)

    def test_a_sign_in_mail_that_waits_in_the_queue(self) -> None:
        """It leaves; its link and code are dead by then."""

        def make() -> Use:
            cache.clear()
            with patch("authentication.services.enqueue") as queue:
                APIClient().post(reverse("authentication:request-magic-link"), {"email": self.user.email})
            sealed = queue.call_args.kwargs["sealed"]

            def use() -> int:
                mail.outbox.clear()
                mail_sign_in.enqueue(sealed=sealed)
                return len(mail.outbox)

            return use

        self.assert_outcomes(make, with_fallback=1, without=0)

    def test_a_link_and_a_code_are_dead_either_way(self) -> None:
        def by_link() -> Use:
            token = issue(self.user.email).link_token
            return lambda: redeem_link(APIClient(), token).status_code

        def by_code() -> Use:
            code = issue(self.user.email).code
            return lambda: redeem_code(APIClient(), code, self.user.email).status_code

        for make in (by_link, by_code):
            self.assert_outcomes(make, with_fallback=400, without=400)

    def test_a_browser_is_known_on_by_its_cookie(self) -> None:
        """Its accounts are named by the new key, and so begin anew."""

        def make() -> Use:
            text = TimestampSigner(salt="authentication.devices").sign("id.account")

            def use() -> bool:
                request: Any = APIClient().get(reverse("core:health_live")).wsgi_request
                request.COOKIES[COOKIE] = text
                with patch("authentication.devices.signer", TimestampSigner(salt="authentication.devices")):
                    return browser_of(request) is not None

            return use

        self.assert_outcomes(make, with_fallback=True, without=False)

    def test_a_write_that_a_phone_sends_again(self) -> None:
        """Without the fallback it is a new request, which here meets what the first one made."""
        client = APIClient()
        client.force_authenticate(make_admin())

        def make() -> Use:
            name = uuid4().hex
            body, headers = {"email": f"{name}@example.org"}, {"Idempotency-Key": name}

            def send() -> Any:
                return client.post(reverse("admin_panel:user-list"), body, format="json", headers=headers)

            send()
            return lambda: send().status_code

        self.assert_outcomes(make, with_fallback=201, without=400)

    def test_a_message_that_a_phone_sends_again(self) -> None:
        """Without the fallback its content cannot be compared."""
        client = APIClient()
        client.force_authenticate(self.user)
        path = f"/api/groups/{make_group(members=[self.user]).pk}/messages"

        def make_by(body: dict[str, str], headers: dict[str, str]) -> Callable[[], Use]:
            def send() -> Any:
                return client.post(path, {"text": "Hi", **body}, format="json", headers=headers)

            def make() -> Use:
                send()
                return lambda: send().status_code

            return make

        for make in (make_by({"clientId": "a"}, {}), make_by({}, KEY)):
            self.assert_outcomes(make, with_fallback=200, without=422)

    def test_a_checked_import(self) -> None:
        admin = make_admin()
        client = APIClient()
        client.force_authenticate(admin)

        def make() -> Use:
            User.objects.filter(email=ADDRESS).delete()
            batch = check(client, csv_of(["email"], [ADDRESS])).json()["id"]

            def use() -> bool:
                with self.captureOnCommitCallbacks(execute=True):
                    client.post(url("commit", batch))
                return bool(User.objects.filter(email=ADDRESS).exists())

            return use

        self.assert_outcomes(make, with_fallback=True, without=False)
