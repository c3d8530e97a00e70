"""How a log line looks in either profile."""

from __future__ import annotations

import logging
import logging.config
from io import StringIO
from typing import Any

import orjson
from django.test import SimpleTestCase

from btf_backend.logs import logging_settings
from core.logs import ClientFaults, current_request_id


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

    def test_the_level_is_the_settings(self) -> None:
        self.assertEqual(self.line(structured=False, level="ERROR"), "")

    def test_a_text_that_is_none_is_the_clients_fault(self) -> None:
        """SAFETY R14: uvicorn logs it as an error, with a traceback, for everybody who sends one."""
        config = logging_settings(level="INFO", structured=True)
        self.assertEqual(config["loggers"]["uvicorn.error"]["filters"], ["client_faults"])
        record = logging.makeLogRecord(
            {"msg": ClientFaults.SENTENCE, "levelno": logging.ERROR, "exc_info": (None, None, None)}
        )

        self.assertTrue(ClientFaults().filter(record))
        self.assertEqual((record.levelno, record.levelname, record.exc_info), (logging.INFO, "INFO", None))
