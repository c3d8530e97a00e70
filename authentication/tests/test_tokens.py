"""Forged and foreign tokens: each is a 401, whatever it claims (SAFETY B17)."""

from __future__ import annotations

import base64
import hmac
import time
import uuid
from datetime import timedelta
from typing import Any

import jwt
import orjson
import time_machine
from django.conf import settings
from django.test import override_settings
from django.urls import reverse

from authentication.models import SignInSession
from authentication.sessions import open_session
from authentication.tests.signing_in import SignInTestCase, bearer, refresh
from users.tests.factories import make_user


class TokenTests(SignInTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.user = make_user(role="mentor", track="AUS-NSW", status="active")
        self.pair = open_session(self.user, user_agent="")
        self.session = SignInSession.objects.get()

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "token_type": "access",
            "exp": now + 600,
            "iat": now,
            "jti": uuid.uuid4().hex,
            "user_id": self.user.pk,
            "sid": self.session.pk,
        }
        return {**claims, **changes}

    def status_for(self, token: str) -> int:
        return self.client.get(reverse("users:me"), **bearer(token)).status_code

    def signed(self, **changes: Any) -> str:
        return jwt.encode(self.claims(**changes), settings.SECRET_KEY, "HS256")

    def sealed_by(self, key: str, algorithm: str) -> str:
        """Return a token with an HMAC by that key, and whatever algorithm: no library would make it."""
        head, body = (
            base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=")
            for part in ({"alg": algorithm, "typ": "JWT"}, self.claims())
        )
        mac = hmac.digest(key.encode(), head + b"." + body, "sha256")
        return b".".join([head, body, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()

    def test_what_we_sign_ourselves_is_let_in(self) -> None:
        self.assertEqual(self.status_for(self.signed()), 200)

    def test_the_access_token_tells_clients_role_track_status(self) -> None:
        """CONTRACT D11."""
        claims = jwt.decode(self.pair.access, settings.SECRET_KEY, ["HS256"])

        self.assertEqual((claims["role"], claims["track"], claims["status"]), ("mentor", "AUS-NSW", "active"))
        self.assertEqual(claims["exp"] - claims["iat"], 3600)

    def test_sessions_survive_a_rotation_of_the_key(self) -> None:
        old = settings.SECRET_KEY
        with override_settings(SECRET_KEY="n" * 64, SECRET_KEY_FALLBACKS=["m" * 64, old, "o" * 64]):
            self.assertEqual(self.status_for(self.pair.access), 200)
            renewed = refresh(self.client, self.pair.refresh).json()
            self.assertEqual(jwt.get_unverified_header(renewed["token"])["alg"], "HS256")
            jwt.decode(renewed["token"], "n" * 64, ["HS256"])
            self.assertEqual(self.status_for(jwt.encode(self.claims(), "x" * 64, "HS256")), 401)
        with override_settings(SECRET_KEY="n" * 64):
            self.assertEqual(self.status_for(self.pair.access), 401)

    def test_a_token_that_was_let_in_runs_out_and_dies_with_its_session(self) -> None:
        """That its signature was verified before changes nothing."""
        for _ in range(2):
            self.assertEqual(self.status_for(self.pair.access), 200)
        with time_machine.travel(timedelta(hours=1, seconds=1)):
            self.assertEqual(self.status_for(self.pair.access), 401)
        self.assertEqual(self.status_for(self.pair.access), 200)

        SignInSession.objects.all().revoke_all()
        self.assertEqual(self.status_for(self.pair.access), 401)

    def test_claims_do_not_grant_rights(self) -> None:
        token = self.signed(role="admin", is_superuser=True)

        self.assertEqual(self.client.get(reverse("users:me"), **bearer(token)).json()["role"], "mentor")

    def test_forged_and_foreign_tokens_are_refused(self) -> None:
        other = make_user()
        now = int(time.time())
        forged = {
            "algorithm none": jwt.encode(self.claims(), "", "none"),
            "another key": jwt.encode(self.claims(), "x" * 64, "HS256"),
            "an empty key": self.sealed_by("", "HS256"),
            "our key, as if it were a public one": self.sealed_by(settings.SECRET_KEY, "RS256"),
            "no algorithm, and our key": self.sealed_by(settings.SECRET_KEY, "none"),
            "another issuer": self.signed(iss="https://evil.example"),
            "another audience": self.signed(aud="another-service"),
            "another algorithm": jwt.encode(self.claims(), settings.SECRET_KEY, "HS512"),
            "a refresh token": self.pair.refresh,
            "a ticket": self.signed(token_type="ticket"),
            "no type": self.signed(token_type=None),
            "run out": self.signed(exp=now - 1),
            "not yet": self.signed(nbf=now + 600),
            "no end": jwt.encode(
                {k: v for k, v in self.claims().items() if k != "exp"}, settings.SECRET_KEY, "HS256"
            ),
            "somebody else's session": self.signed(user_id=other.pk),
            "an unknown session": self.signed(sid=999_999),
            "no session": self.signed(sid=None),
            "a text for an id": self.signed(user_id=str(self.user.pk)),
            "a list for an id": self.signed(user_id=[self.user.pk]),
            "a huge id": self.signed(sid=2**63),
            "true for an id": self.signed(sid=True),
            "a path in the key's name": jwt.encode(
                self.claims(), "y" * 64, "HS256", headers={"kid": "../../dev/null"}
            ),
            "64 kB": "a" * 65_536,
            "a name of a key": jwt.encode(
                self.claims(), "y" * 64, "HS256", headers={"kid": "1", "jku": "https://evil.example/jwks"}
            ),
            "two dots": "..",
            "nothing": "",
            "not ASCII": "é.é.é",
        }
        for name, token in forged.items():
            with self.subTest(name):
                self.assertEqual(self.status_for(token), 401)

    def test_other_schemes_are_401_with_a_challenge(self) -> None:
        for header in ("", "Bearer", "Basic YTpi", f"Token {self.pair.access}", self.pair.access):
            with self.subTest(header[:12]):
                response = self.client.get(reverse("users:me"), HTTP_AUTHORIZATION=header)
                self.assertEqual(response.status_code, 401)
                self.assertIn("Bearer", response["WWW-Authenticate"])
                self.assertIn("error", response.json())

    def test_a_request_reads_user_and_session_in_one_query(self) -> None:
        with self.assertNumQueries(1):
            self.status_for(self.signed(sid=999_999))
