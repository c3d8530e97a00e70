"""The test runner that ``previous_tests.py`` hands to an earlier release: that release's own, and careful.

That release's code imports it, in its own folder; nothing else of today's is on the path.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, Final
from unittest import TestSuite
from unittest.mock import patch

from django.db.backends.postgresql.operations import DatabaseOperations
from django.test.runner import filter_tests_by_tags
from django.test.utils import iter_test_cases  # type: ignore[attr-defined]

from core.testing import HouseRunner

TAGS: Final = {
    "browser": "pages in Chromium, which say nothing of tables",
    "clamd": "the virus scanner",
    "nginx": "what stands in front",
    "scale": "how long much takes",
    "drill": "drills of their own",
}
# Beginnings of tests' names, and why they have no place in a bare folder, on a schema that is ahead.
EXCLUDED: Final = {
    "btf_backend.tests.test_upgrades.MigrateTests": "takes migrations back, upon which newer ones may build",
    "btf_backend.tests.test_scripts.RunTests": "makes a Python environment of its own, by the package index",
    "btf_backend.tests.test_scripts.SetUpDatabaseTests": "likewise",
}
CLASS: Final = re.compile(r"\w+ \(([\w.]+)\)")  # "setUpClass (core.tests.test_x.XTests)"

empty_plainly = DatabaseOperations.sql_flush


def empty_with_newer_tables(self: DatabaseOperations, *args: Any, **options: Any) -> list[str]:
    """Return the TRUNCATE of a test that commits. Tables that only newer code knows may refer to its own."""
    return empty_plainly(self, *args, **options | {"allow_cascade": True})


def label_of(test: Any) -> str:
    """Return what runs it again: a subtest's test, a class that could not be set up."""
    name = str(getattr(test, "test_case", test).id())  # as HouseRunner does
    found = CLASS.fullmatch(name)
    return found[1] if found else name


class ReleasedRunner(HouseRunner):
    """Leaves out by tag and by name, lets tests empty tables, and closes with its counts, a line of JSON."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.left_out: Counter[str] = Counter()
        self.excluded: Counter[str] = Counter()

    def load_tests_for_label(self, label: str, discover_kwargs: dict[str, str]) -> TestSuite:
        tests = list(iter_test_cases(super().load_tests_for_label(label, discover_kwargs)))
        for tag, what in TAGS.items():
            kept = list(filter_tests_by_tags(tests, set(), {tag}))
            self.left_out[f"{tag}: {what}"] += len(tests) - len(kept)
            tests = kept
        for beginning, reason in EXCLUDED.items():
            kept = [test for test in tests if not test.id().startswith(beginning)]
            self.excluded[f"{beginning}: {reason}"] += len(tests) - len(kept)
            tests = kept
        return TestSuite(tests)

    def run_suite(self, suite: TestSuite, **options: Any) -> Any:
        # The processes of a parallel run are copies of this one. At its end each waits for its threads, and a
        # test that failed may have left one that never ends.
        with (
            patch.object(DatabaseOperations, "sql_flush", empty_with_newer_tables),
            patch("threading._shutdown"),
        ):
            return super().run_suite(suite, **options)

    def suite_result(self, suite: TestSuite, result: Any, **options: Any) -> int:
        failures = super().suite_result(suite, result, **options)
        broken = {label_of(test) for test, _ in [*result.failures, *result.errors]}
        counts = {
            "run": result.testsRun - len(result.skipped),
            "failed": sorted(broken | {label_of(test) for test in result.unexpectedSuccesses}),
            "skipped": Counter(reason for _, reason in result.skipped),
            "tags": +self.left_out,
            "excluded": +self.excluded,
        }
        print(f"\n{__name__}: {json.dumps(counts)}", flush=True)
        return failures
