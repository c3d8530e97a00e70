"""Calls that meet at the same moment, over real sessions or on the services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import skipUnless

from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase, override_settings

from authentication.tests.signing_in import signed_in_client
from core.refusals import Refused
from core.testing import in_parallel
from users.tests.factories import make_admin

if TYPE_CHECKING:
    from collections.abc import Callable

    from users.models import User


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
@override_settings(API_WRITES_PER_USER="")
class RaceCase(TransactionTestCase):
    def setUp(self) -> None:
        cache.clear()
        self.admin = make_admin()

    def post_at_once(self, people: list[User], path: str, bodies: list[dict[str, Any]]) -> list[Any]:
        """Post each body at the same moment, over real sessions; people take turns."""
        clients = [signed_in_client(people[n % len(people)]) for n in range(len(bodies))]
        return in_parallel(lambda n: clients[n].post(path, bodies[n], format="json"), len(bodies))

    def meet(self, *calls: Callable[[], object]) -> list[Any]:
        """Run the calls at once; a refusal by a rule is fine, one by the database is not."""
        results = in_parallel(lambda n: calls[n](), len(calls))
        faults = [r for r in results if isinstance(r, Exception) and not isinstance(r, Refused)]
        self.assertEqual(faults, [])
        return results
