"""Bodies that are checked by a serializer for all requests are checked as by one of their own."""

from __future__ import annotations

from typing import Any, Final

from django.test import SimpleTestCase
from rest_framework import serializers

from core.checking import checked
from core.testing import in_parallel


class ItemSerializer(serializers.Serializer[dict[str, Any]]):
    """What hangs on a body."""

    size = serializers.IntegerField(min_value=0, default=7)


class BodySerializer(serializers.Serializer[dict[str, Any]]):
    """A body with a list, and a rule for the whole."""

    text = serializers.CharField(max_length=5, source="words")
    items = ItemSerializer(many=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["words"] == "no":
            raise serializers.ValidationError("Say yes.")
        return attrs


GOOD: Final[list[Any]] = [{"text": "yes"}, {"text": " 1 ", "items": [{}, {"size": "3"}], "more": 1}]
BAD: Final[list[Any]] = [
    *(None, [], "text", {}, {"text": "no"}, {"text": "longer"}, {"text": None}),
    {"text": "yes", "items": [{"size": -1}, {}]},
]


class CheckedTests(SimpleTestCase):
    def test_what_is_right_is_read_alike(self) -> None:
        for body in GOOD:
            own = BodySerializer(data=body)
            self.assertTrue(own.is_valid())
            with self.subTest(body):
                self.assertEqual(checked(BodySerializer, body), own.validated_data)

    def test_what_is_wrong_is_refused_in_the_same_words(self) -> None:
        for body in BAD:
            own = BodySerializer(data=body)
            self.assertFalse(own.is_valid())
            with self.subTest(body), self.assertRaises(serializers.ValidationError) as refused:
                checked(BodySerializer, body)
            self.assertEqual(refused.exception.detail, own.errors)

    def test_threads_do_not_meet_in_it(self) -> None:
        read = in_parallel(lambda n: [checked(BodySerializer, {"text": f"{n}{i}"}) for i in range(50)], 8)

        self.assertEqual(read, [[{"words": f"{n}{i}"} for i in range(50)] for n in range(8)])
