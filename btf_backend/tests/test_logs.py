"""How a log line looks in either profile."""

from __future__ import annotations

import errno
import logging
import logging.config
import traceback
from io import StringIO
from typing import Any, NoReturn
from unittest.mock import patch

import orjson
from django.conf import settings
from django.db import transaction
from django.test import Client, SimpleTestCase, TestCase, override_settings

from btf_backend.logs import logging_settings
from core.logs import ClientFaults, WordlessMessages, current_request_id
from core.tests.raising import ERRORS, SECRET
from users.models import User
from users.tests.factories import make_user


class LineTests(SimpleTestCase):
    def line(self, *, structured: bool, level: str = "INFO") -> str:
        """Return what one warning looks like; the root logger is put back afterwards."""
        stream, config = StringIO(), logging_settings(level=level, structured=structured)
        handler: dict[str, Any] = config["handlers"]["console"]
        handler["stream"] = stream
        config["handlers"] = {"console": handler}
        config["root"], config["loggers"] = {}, {"btf.test": {"handlers": ["console"], "level": level}}
        token = current_request_id.set("request-0001")
        self.addCleanup(current_request_id.reset, token)
        logging.config.dictConfig({**config, "incremental": False})
        logging.getLogger("btf.test").warning("task_failed", extra={"attempt": 2})
        return stream.getvalue()

    def test_a_laptop_reads_a_line_of_text(self) -> None:
        self.assertEqual(self.line(structured=False), "WARNING btf.test [request-0001] task_failed\n")

    def test_production_reads_one_json_object_a_line(self) -> None:
        line = self.line(structured=True)
        record = orjson.loads(line)

        self.assertEqual(line.count("\n"), 1)
        self.assertEqual((record["message"], record["attempt"]), ("task_failed", 2))
        self.assertEqual((record["levelname"], record["request_id"]), ("WARNING", "request-0001"))

    def test_a_laptop_is_not_told_what_comes_round_each_minute(self) -> None:
        """It pushed the mail with the code out of sight."""
        for structured, level in ((False, "WARNING"), (True, "INFO")):
            loggers = logging_settings(level="INFO", structured=structured)["loggers"]
            for name in ("core.clock", "core.periodic", "core.watching.requests"):
                with self.subTest(name, structured=structured):
                    self.assertEqual(loggers[name]["level"], level)

    def test_the_level_is_the_settings(self) -> None:
        self.assertEqual(self.line(structured=False, level="ERROR"), "")

    def test_a_text_that_is_none_is_the_clients_fault(self) -> None:
        """SAFETY R14: uvicorn logs it as an error, with a traceback, for everybody who sends one."""
        config = logging_settings(level="INFO", structured=True)
        for handler in config["loggers"]["uvicorn.error"]["handlers"]:
            self.assertIn("client_faults", config["handlers"][handler]["filters"])
        record = logging.makeLogRecord(
            {
                "name": "uvicorn.error",
                "msg": ClientFaults.SENTENCE,
                "levelno": logging.ERROR,
                "exc_info": (None, None, None),
            }
        )

        self.assertTrue(ClientFaults().filter(record))
        self.assertEqual((record.levelno, record.levelname, record.exc_info), (logging.INFO, "INFO", None))


ADDRESS = "ada@example.org"


class WordlessMessageTests(SimpleTestCase):
    """B40: libraries put words of exceptions into their messages, and representations of what they held."""

    def cleaned(self, message: object, *args: object, name: str = "library") -> logging.LogRecord:
        record = logging.LogRecord(name, logging.ERROR, "", 0, message, args, None)
        self.assertTrue(WordlessMessages().filter(record))
        return record

    def test_an_exception_is_named_and_not_told(self) -> None:
        refused = ConnectionRefusedError(errno.ECONNREFUSED, ADDRESS)
        cases: list[tuple[str, object, tuple[object, ...]]] = [
            ("builtins.ValueError", ValueError(ADDRESS), ()),
            ("failed: builtins.ValueError after 3", "failed: %s after %d", (ValueError(ADDRESS), 3)),
            ("builtins.ConnectionRefusedError ECONNREFUSED", refused, ()),
            ("builtins.OSError", OSError(ADDRESS), ()),
            ("100 % of ada", "100 % of ada", ()),
        ]
        for expected, message, args in cases:
            with self.subTest(expected):
                self.assertEqual(self.cleaned(message, *args).getMessage(), expected)

    def test_a_traceback_within_a_message_becomes_one_without_words(self) -> None:
        try:
            int(ADDRESS)
        except ValueError as error:
            record = self.cleaned("Exception during worker exit:\n%s", traceback.format_exc())
            self.assertEqual(record.exc_info and record.exc_info[1], error)
        self.assertEqual(record.getMessage(), "Exception during worker exit:")

    def test_asyncio_tells_where_and_not_with_what(self) -> None:
        future = "future: <Task finished name='Task-1' coro=<Room.tell() done> exception=ValueError('ada')>"
        cases = {
            f"Task exception was never retrieved\n{future}": "Task exception was never retrieved Room.tell",
            "Exception in callback Room.tell('ada')\nhandle: <Handle Room.tell('ada')>": (
                "Exception in callback Room.tell"
            ),
            "Future exception was never retrieved\nfuture: <Future exception=ValueError('ada')>": (
                "Future exception was never retrieved"
            ),
        }
        for message, expected in cases.items():
            with self.subTest(expected):
                self.assertEqual(self.cleaned(message, name="asyncio").getMessage(), expected)


def take_an_address() -> NoReturn:
    """Have the database refuse an address that is somebody's already: PostgreSQL's words repeat it."""
    make_user(email=ADDRESS)
    with transaction.atomic():
        User.objects.filter(pk=make_user().pk).update(email=ADDRESS)
    raise AssertionError("The database took it.")


@override_settings(ROOT_URLCONF="core.tests.raising")
class WordlessTests(TestCase):
    """B40: a database tells the row that it refuses."""

    def setUp(self) -> None:
        self.log = StringIO()
        config = logging_settings(level="INFO", structured=True)
        config["handlers"]["console"]["stream"] = self.log
        logging.config.dictConfig(config)
        self.addCleanup(logging.config.dictConfig, settings.LOGGING)

    def told(self, path: str) -> Any:
        Client(raise_request_exception=False).get(path)
        lines = [line for line in self.log.getvalue().splitlines() if '"exc_info"' in line]
        self.assertEqual(len(lines), 1)
        return orjson.loads(lines[0])

    def test_a_row_that_the_database_refuses_names_nobody(self) -> None:
        with patch.dict(ERRORS, {"integrity": take_an_address}):
            record = self.told("/pages/integrity/")

        self.assertEqual(record["message"], "Internal Server Error: /pages/integrity/")
        self.assertIn("django.db.utils.IntegrityError\n", record["exc_info"])
        self.assertEqual(
            record["exc_info"].count("IntegrityError\n") + record["exc_info"].count("UniqueViolation\n"), 2
        )
        self.assertIn("in take_an_address\n", record["exc_info"])
        self.assertIn("User.objects.filter(pk=make_user().pk).update(email=ADDRESS)", record["exc_info"])
        self.assertNotIn(ADDRESS, self.log.getvalue())

    def test_no_words_of_an_exception_are_told_and_all_of_its_place(self) -> None:
        for path in ("/pages/unexpected/", "/api/plain/unexpected/"):
            with self.subTest(path):
                self.log.seek(0)
                self.log.truncate()
                told = self.told(path)["exc_info"]

                self.assertTrue(told.startswith("builtins.RuntimeError\n"), told)
                self.assertRegex(told, r'raising\.py", line \d+, in plain\n +raise ERRORS\[kind\]\(\)')
                self.assertNotIn(SECRET, self.log.getvalue())

    def test_members_of_a_group_and_what_came_before_are_told_once(self) -> None:
        first, second = ValueError(SECRET), KeyError(SECRET)
        first.__context__, second.__cause__ = second, first
        group = ExceptionGroup(SECRET, [first, second])

        logging.getLogger("btf.test").error("broke", exc_info=group)

        told = orjson.loads(self.log.getvalue())["exc_info"]
        kinds = ["builtins.ExceptionGroup", "builtins.ValueError", "builtins.KeyError"]
        self.assertEqual(told.split("\n\n"), kinds)
