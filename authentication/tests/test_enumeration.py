"""Nothing tells a known address from an unknown one: SAFETY B01 and R22, as far as counting can say it.

Times are measured by a drill; here the work itself is counted, which no noise can hide.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from unittest.mock import patch

from django.core.cache import cache, caches
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from authentication.tests.signing_in import SignInTestCase, ask, mailed, redeem_code, wrong
from users.models import User
from users.tests.factories import make_user

STEPS = ("get", "set", "add", "incr", "delete", "decr")


class Work:
    """Counts the cache's steps and the database's queries of a block."""

    def __enter__(self) -> Work:
        self.steps: Counter[str] = Counter()
        self.store = type(caches.create_connection("default"))
        self.patches = [patch.object(self.store, name, self.counted(name)) for name in STEPS]
        for each in self.patches:
            each.start()
        self.queries = CaptureQueriesContext(connection)
        self.queries.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.queries.__exit__(*error)
        for each in self.patches:
            each.stop()

    def counted(self, name: str) -> Any:
        real = getattr(self.store, name)

        def call(store: Any, *args: Any, **kwargs: Any) -> Any:
            self.steps[name] += 1
            return real(store, *args, **kwargs)

        return call

    def done(self) -> tuple[Counter[str], int]:
        return self.steps, len(self.queries)


@override_settings(MAGIC_LINK_PER_ADDRESS="")
class EnumerationTests(SignInTestCase):
    def setUp(self) -> None:
        super().setUp()
        make_user(email="known@example.org")
        make_user(email="suspended@example.org", status=User.Status.INACTIVE)
        self.addresses = [f"{name}@example.org" for name in ("unknown", "known", "suspended")]

    def test_asking_does_the_same_work_for_every_address(self) -> None:
        works = []
        for address in self.addresses:
            with patch("authentication.services.enqueue") as enqueue, Work() as work:
                ask(self.client, address)
            enqueue.assert_called_once()
            works.append(work.done())

        self.assertEqual(works[0], works[1])
        self.assertEqual(works[0], works[2])
        self.assertEqual(works[0][1], 0, "Who is mailed is decided in the background.")

    def test_a_wrong_guess_does_the_same_work_for_every_address(self) -> None:
        works = []
        for address in self.addresses:
            cache.clear()
            ask(self.client, address)
            with Work() as work:
                redeem_code(self.client_class(), "000000", address)
            works.append(work.done())

        self.assertEqual(works[0], works[1])
        self.assertEqual(works[0], works[2])

    def test_a_code_is_none_for_another_address(self) -> None:
        code = mailed(self.client, "known@example.org").code

        self.assertEqual(redeem_code(self.client, code, "unknown@example.org").status_code, 400)
        self.assertEqual(redeem_code(self.client, wrong(code), "known@example.org").status_code, 400)
