"""Names, types and ids as they go over the wire."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import orjson
from django.test import SimpleTestCase
from django.utils.functional import lazystr
from django.utils.safestring import mark_safe
from rest_framework import serializers

from core.converters import IdConverter
from core.registry import Registry
from core.renderers import OrjsonRenderer
from core.serializers import StrictCharField, StrictEmailField, snake_case


class NameTests(SimpleTestCase):
    def test_a_wire_name_stands_for_the_attribute_of_the_same_words(self) -> None:
        names = {
            "firstName": "first_name",
            "joinPermissionGrantedAt": "join_permission_granted_at",
            "wwccNumber": "wwcc_number",
            "order_index": "order_index",
            "id": "id",
        }
        self.assertEqual({name: snake_case(name) for name in names}, names)


class StrictTextTests(SimpleTestCase):
    def test_only_text_is_text(self) -> None:
        """B11, B28: nothing is stored as its textual form."""
        fields: tuple[Any, ...] = (StrictCharField(), StrictEmailField())
        for field in fields:
            values: tuple[Any, ...] = (5, 1.5, True, [], {}, b"x")
            for value in values:
                with self.subTest(field=type(field).__name__, value=value):
                    self.assertRaises(serializers.ValidationError, field.run_validation, value)

    def test_it_is_trimmed_and_holds_no_nul(self) -> None:
        field: Any = StrictCharField()

        self.assertEqual(field.run_validation("  Zoë \n"), "Zoë")
        self.assertRaises(serializers.ValidationError, field.run_validation, "a\x00b")


class IdTests(SimpleTestCase):
    def test_an_id_is_a_positive_number_that_the_database_can_hold(self) -> None:
        self.assertEqual(
            [IdConverter().to_python(text) for text in ("1", "007", str(2**63 - 1))][::2], [1, 2**63 - 1]
        )
        for text in ("0", str(2**63), "9" * 19):
            with self.subTest(text):
                self.assertRaises(ValueError, IdConverter().to_python, text)
        self.assertEqual(IdConverter().to_url(5), "5")


class RendererTests(SimpleTestCase):
    def render(self, data: Any) -> Any:
        return orjson.loads(OrjsonRenderer().render(data))

    def test_what_frameworks_hand_over_is_written_as_what_it_is(self) -> None:
        data = {
            "lazy": lazystr("Zoë"),
            "safe": mark_safe("<b>"),
            "generator": (n for n in (1, 2)),
            "mapping": MappingProxyType({"a": "1"}),
            5: None,
        }
        self.assertEqual(
            self.render(data),
            {"lazy": "Zoë", "safe": "<b>", "generator": [1, 2], "mapping": {"a": "1"}, "5": None},
        )

    def test_nothing_is_no_byte_and_text_is_utf_8(self) -> None:
        self.assertEqual(OrjsonRenderer().render(None), b"")
        self.assertEqual(OrjsonRenderer().render({"a": "🧬"}), '{"a":"🧬"}'.encode())

    def test_what_has_no_meaning_in_json_is_refused(self) -> None:
        self.assertRaises(TypeError, OrjsonRenderer().render, {"a": object()})


class RegistryTests(SimpleTestCase):
    def test_a_name_stands_for_one_answer_in_the_order_of_adding(self) -> None:
        registry: Registry[int] = Registry()
        for name, entry in (("a", 1), ("b", 2), ("a", 3)):
            registry.add(name, entry)

        self.assertEqual(list(registry), [3, 2])
