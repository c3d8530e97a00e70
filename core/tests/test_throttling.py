"""Throttles: what they count, what they answer, and what an outage of Redis does to each."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.contrib.auth.models import AnonymousUser
from django.core.cache import caches
from django.test import SimpleTestCase, TestCase, override_settings
from django.urls import reverse
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import ConnectionError as RedisConnectionError
from rest_framework.test import APIClient, APIRequestFactory

from authentication.throttling import LinksPerSource, VerificationsPerSource
from core import limits
from core.throttling import ExportsPerPerson, WritesPerPerson
from users.models import User
from users.tests.factories import make_user

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTAGES = [RedisConnectionError("10.0.0.7"), ConnectionInterrupted(None)]


class ThrottleTestCase(SimpleTestCase):
    def setUp(self) -> None:
        for store in caches:
            caches[store].clear()

    def request(self, method: str = "POST", user: Any = None, address: str = "192.0.2.1") -> Any:
        request: Any = APIRequestFactory().generic(method, "/", REMOTE_ADDR=address)
        request.user = user or AnonymousUser()
        return request

    def outcomes(self, throttle: Any, request: Any, count: int) -> list[bool]:
        view: Any = SimpleNamespace(get=None, post=None)
        return [throttle().allow_request(request, view) for _ in range(count)]


@override_settings(API_WRITES_PER_USER="2/1m", MAGIC_LINK_PER_SOURCE="2/1m", VERIFY_PER_SOURCE="2/1m")
class BudgetTests(ThrottleTestCase):
    def test_writes_count_by_person_and_reads_do_not(self) -> None:
        ada, bob = User(pk=1), User(pk=2)

        self.assertEqual(self.outcomes(WritesPerPerson, self.request(user=ada), 3), [True, True, False])
        self.assertEqual(self.outcomes(WritesPerPerson, self.request(user=bob), 1), [True])
        self.assertEqual(self.outcomes(WritesPerPerson, self.request("GET", ada), 5), [True] * 5)

    def test_a_method_that_the_view_does_not_have_costs_nothing(self) -> None:
        self.assertEqual(self.outcomes(LinksPerSource, self.request("PUT"), 5), [True] * 5)
        self.assertEqual(self.outcomes(LinksPerSource, self.request(), 1), [True])

    def test_nobody_signed_in_has_no_budget_of_writes(self) -> None:
        self.assertEqual(self.outcomes(WritesPerPerson, self.request(), 5), [True] * 5)

    def test_sign_in_counts_by_source_whatever_the_person(self) -> None:
        for throttle in (LinksPerSource, VerificationsPerSource):
            with self.subTest(throttle.__name__):
                self.assertEqual(self.outcomes(throttle, self.request(), 3), [True, True, False])
                self.assertEqual(self.outcomes(throttle, self.request(address="192.0.2.2"), 1), [True])

    def test_an_ipv6_household_is_one_source(self) -> None:
        for last in ("1", "2"):
            self.outcomes(LinksPerSource, self.request(address=f"2001:db8:1:1::{last}"), 1)

        self.assertEqual(self.outcomes(LinksPerSource, self.request(address="2001:db8:1:1:9::9"), 1), [False])
        self.assertEqual(self.outcomes(LinksPerSource, self.request(address="2001:db8:1:2::1"), 1), [True])


@override_settings(API_WRITES_PER_USER="2/1m", VERIFY_PER_SOURCE="2/1m")
class OutageTests(ThrottleTestCase):
    @contextmanager
    def redis_down(self, outage: Exception) -> Iterator[None]:
        real_take = limits.take

        def take(bucket: str, rates: str, *, store: str = "default") -> int:
            if store == "default":
                raise outage
            return real_take(bucket, rates, store=store)

        # Asked by those who have no fall-back, and by what falls back.
        with patch("core.throttling.take", take), patch("core.limits.take", take):
            yield

    def test_writes_are_then_bounded_by_this_process(self) -> None:
        for person, outage in enumerate(OUTAGES, start=1):
            with self.subTest(type(outage).__name__), self.redis_down(outage), self.assertLogs("core.limits"):
                request = self.request(user=User(pk=person))
                self.assertEqual(self.outcomes(WritesPerPerson, request, 3), [True, True, False])

    @override_settings(EXPORTS_PER_USER="2/1h")
    def test_so_are_exports(self) -> None:
        for person, outage in enumerate(OUTAGES, start=1):
            with self.subTest(type(outage).__name__), self.redis_down(outage), self.assertLogs("core.limits"):
                request = self.request("GET", User(pk=person))
                self.assertEqual(self.outcomes(ExportsPerPerson, request, 3), [True, True, False])

    def test_sign_in_is_never_let_through_uncounted(self) -> None:
        for outage in OUTAGES:
            with (
                self.subTest(type(outage).__name__),
                self.redis_down(outage),
                self.assertRaises(type(outage)),
            ):
                self.outcomes(VerificationsPerSource, self.request(), 1)

    def test_over_http_that_is_503(self) -> None:
        """SAFETY R3."""
        body = {"email": "ada@example.org", "code": "123456"}
        with self.redis_down(OUTAGES[0]):
            response = APIClient().post(reverse("authentication:verify-otp"), body, format="json")

        self.assertEqual((response.status_code, response.headers["Retry-After"]), (503, "5"))
        self.assertEqual(response.json()["code"], "service_unavailable")


class OverHttpTests(TestCase):
    @override_settings(API_WRITES_PER_USER="2/1m")
    def test_the_write_too_many_is_429_and_says_when_to_come_back(self) -> None:
        caches["default"].clear()
        client, url = APIClient(), reverse("users:me")
        client.force_authenticate(make_user())
        answers = [client.patch(url, {}, format="json") for _ in range(3)]

        self.assertEqual([answer.status_code for answer in answers], [200, 200, 429])
        self.assertIn(int(answers[-1].headers["Retry-After"]), range(1, 61))
        self.assertEqual(answers[-1].json()["code"], "throttled")
        self.assertEqual(client.get(url).status_code, 200)
