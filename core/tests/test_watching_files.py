"""The files for Prometheus and Grafana ask for what ``/metrics`` has, and send people to what is written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from django.conf import settings
from django.test import TestCase

from core.watching import backlog
from core.watching.exposition import Exposition

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOY: Final = Path(settings.BASE_DIR, "deploy")
RULES: Final = DEPLOY / "prometheus" / "rules.yml"
DASHBOARD: Final = DEPLOY / "grafana" / "hub.json"
SUFFIXES: Final = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
# What Prometheus adds, and what is there whenever a histogram is.
GIVEN: Final = {"job", "instance", "le"}
SELECTOR: Final = re.compile(r"(btf_\w+)(?:\{([^}]*)\})?")
GROUPED: Final = re.compile(r"by \(([^)]*)\)")
HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> Iterator[str]:
    for rule in rules():
        yield rule["expr"]
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]


class FilesTests(TestCase):
    names: set[str]
    labels: set[str]

    @classmethod
    def setUpTestData(cls) -> None:
        backlog.migrations.load()
        families = list(Exposition().collect())
        cls.names = {family.name + end for family in families for end in SUFFIXES[family.type]}
        text = Path(settings.BASE_DIR, "core", "watching", "metrics.py").read_text()
        told = {label for family in families for sample in family.samples for label in sample.labels}
        cls.labels = told | set(re.findall(r'"(\w+)"[,)\]]', text)) | GIVEN

    def test_every_number_that_is_asked_for_exists(self) -> None:
        asked = {name for expression in expressions() for name, _ in SELECTOR.findall(expression)}

        self.assertGreater(len(asked), 25)
        self.assertEqual(asked - self.names, set())

    def test_every_number_that_exists_is_looked_at(self) -> None:
        looked_at = " ".join(expressions())
        families = {re.sub("_(total|bucket|sum|count)$", "", name) for name in self.names}

        self.assertEqual({name for name in families if name not in looked_at}, set())

    def test_every_label_that_is_asked_for_exists(self) -> None:
        for expression in expressions():
            with self.subTest(expression):
                asked = {
                    re.split("[=!]", pair)[0]
                    for _, inside in SELECTOR.findall(expression)
                    for pair in filter(None, inside.split(","))
                }
                asked |= {
                    label.strip() for group in GROUPED.findall(expression) for label in group.split(",")
                }
                self.assertEqual(asked - self.labels, set())

    def test_every_alarm_says_what_to_do_at_a_heading_that_is_there(self) -> None:
        text = Path(settings.BASE_DIR, "docs", "OPERATIONS.md").read_text()
        anchors = {
            re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in HEADING.findall(text)
        }
        for rule in rules():
            with self.subTest(rule["alert"]):
                page, _, anchor = rule["annotations"]["runbook"].partition("#")
                self.assertEqual(page, "docs/OPERATIONS.md")
                self.assertIn(anchor, anchors)
                self.assertIn(rule["labels"]["severity"], {"page", "ticket"})

    def test_every_panel_asks_the_data_source_that_its_reader_chose(self) -> None:
        board = json.loads(DASHBOARD.read_text())
        chosen = {"type": "prometheus", "uid": "${datasource}"}

        ids = [panel["id"] for panel in board["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertIn("datasource", {variable["name"] for variable in board["templating"]["list"]})
        for panel in board["panels"]:
            for target in panel.get("targets", ()):
                self.assertEqual(target["datasource"], chosen)
                self.assertEqual(panel["datasource"], chosen)
