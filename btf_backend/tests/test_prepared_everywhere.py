"""PostgreSQL takes each query that is put into words once as it is asked outside a transaction.

Other tests run in transactions, where nothing is prepared.
"""

from __future__ import annotations

import sys
from importlib import import_module
from itertools import product
from typing import TYPE_CHECKING, Any, Final
from unittest import skipUnless

from django import forms
from django.db import connection, transaction
from django.test import TransactionTestCase
from django.urls import get_resolver

from chat.services.history import KINDS, prepared
from chat.services.questions import still
from core.filters import FlagField, fields_of
from core.listing import PreparedListMixin, listing_of
from core.prepared import Prepared
from core.prepared_writes import PreparedInsert, PreparedUpdate
from core.roles import Role
from groups.asking import ByKind

if TYPE_CHECKING:
    from collections.abc import Iterator

ours: Any = connection  # the type checkers know Django's alone
OURS: Final = {"announcements", "authentication", "chat", "core", "events", "groups", "resources", "users"}
BOTH: Final = (False, True)


def kept_in_modules() -> Iterator[tuple[str, Any]]:
    """Yield what stands in the modules that serve requests, by its name."""
    assert get_resolver().url_patterns, "which imports them"
    import_module("chat.routing")
    for module, names in list(sys.modules.items()):
        if module.partition(".")[0] in OURS and ".tests" not in module:
            for name, value in list(vars(names).items()):
                yield f"{module}.{name}", value


def kept_by_functions() -> Iterator[tuple[str, Any]]:
    for quotes, names in product(BOTH, BOTH):
        yield f"still {quotes=} {names=}", still(quotes=quotes, names=names)
    for kind, as_moderator, is_usual in product(KINDS, BOTH, BOTH):
        found = prepared(kind, as_moderator=as_moderator, is_usual=is_usual)
        yield f"{kind} {as_moderator=} {is_usual=}", found


def kept_by_lists() -> Iterator[tuple[str, Any]]:
    """Yield the queries of each list, as it is and narrowed in each way."""
    views: list[Any] = PreparedListMixin.__subclasses__()
    for view in views:
        ways = [(name, value_of(field)) for name, field in fields_of(view.filterset_class).items()]
        for shape, is_admin in product([(), *((way,) for way in ways)], BOTH):
            for name, value in vars(listing_of(view, is_admin, shape)).items():
                yield f"{view.__name__} {shape} {is_admin=} {name}", value


def value_of(field: Any) -> Any:
    """Return a value with which ``narrowing_of`` would name the filter."""
    if isinstance(field, FlagField):
        return "true"
    choices: Any = field.choices if isinstance(field, forms.ChoiceField) else ()
    return next((value for value, _ in choices if value), None)


def words_of(kept: Any) -> Iterator[tuple[str, int]]:
    """Yield the SQL, and how many places it has; for each kind of person where they differ."""
    if isinstance(kept, Prepared):
        yield kept.words.sql, len(kept.words.parameters)
    elif isinstance(kept, ByKind):
        for role, is_admin in product(Role.values, BOTH):
            yield from words_of(kept.of_kind(role, is_platform_admin=is_admin))
    elif isinstance(kept, PreparedUpdate):
        yield kept.words[0], len(kept.words[1])
    elif isinstance(kept, PreparedInsert):
        yield kept.sql, len(kept.fields)


@skipUnless(connection.vendor == "postgresql", "SQLite prepares nothing.")
class PreparedEverywhereTests(TransactionTestCase):
    def setUp(self) -> None:
        connection.close()
        connection.ensure_connection()
        self.addCleanup(connection.close)

    def test_each_is_prepared(self) -> None:
        everything = (*kept_in_modules(), *kept_by_functions(), *kept_by_lists())
        with transaction.atomic():  # where Django puts into words what locks
            found = [(name, words) for name, kept in everything for words in words_of(kept)]
        for name, (sql, places) in found:
            with self.subTest(name):
                self.assertTrue(sql, "It finds nothing, ever.")
                ours.prepared(sql, places)

        tried = {name for name, _ in found}
        some = {"chat.access.SEEN", "chat.standing.STANDING", "chat.models.messages.INSERT"}
        self.assertLessEqual(some, tried)
        self.assertTrue(any("EventViewSet" in name for name in tried))
