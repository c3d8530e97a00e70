"""Writes that are sent again: one key, one object, one event (B34)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from unittest.mock import patch
from uuid import uuid4

import orjson
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase, override_settings
from django.urls import path
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from core.idempotency import once, plain
from core.models import IdempotentWrite, Upload
from core.periodic import jobs
from core.refusals import Refused
from core.retention import prune_idempotent_writes
from core.testing import in_parallel
from core.tests.raising import urlpatterns as other_paths
from users.tests.factories import make_user

if TYPE_CHECKING:
    from core.http import SignedInRequest
    from users.models import User

URL, TWIN = "/api/making/", "/api/making-too/"
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
events: list[int] = []


def make_upload(owner: User, name: str) -> Upload:
    """Store a row, and tell of it after the commit; refuse names that begin with an exclamation mark."""
    row = Upload.objects.create(owner=owner, key=uuid4().hex, filename=name, size=1)
    transaction.on_commit(lambda: events.append(row.pk))
    if name.startswith("!"):
        raise Refused
    return row


class MakingView(APIView):
    def post(self, request: SignedInRequest) -> Response:
        data: Any = request.data
        mine = Upload.objects.filter(owner=request.user)
        row, headers = once(request, lambda: make_upload(request.user, data.get("name", "a.pdf")), among=mine)
        return Response({"id": row.pk, "name": row.filename}, 201, headers=headers)


urlpatterns = [
    path("api/making/", MakingView.as_view()),
    path("api/making-too/", MakingView.as_view()),
    *other_paths,
]


def client_of(user: User) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client


def send(client: APIClient, body: Any, key: str | None = KEY, *, url: str = URL, kind: str = "json") -> Any:
    return client.post(url, body, format=kind, headers={} if key is None else {"Idempotency-Key": key})


@override_settings(ROOT_URLCONF=__name__)
class OnceTestCase(TestCase):
    def setUp(self) -> None:
        events.clear()
        self.user = make_user()
        self.client: APIClient = client_of(self.user)

    def send(self, body: Any, key: str | None = KEY, **how: str) -> Any:
        with self.captureOnCommitCallbacks(execute=True):
            return send(self.client, body, key, **how)


class RepeatTests(OnceTestCase):
    def test_a_repeat_answers_with_the_same_object_and_there_is_one_event(self) -> None:
        answers = [self.send({"name": "a.pdf"}) for _ in range(3)]

        row = Upload.objects.get()
        self.assertEqual([answer.status_code for answer in answers], [201] * 3)
        self.assertEqual([answer.json() for answer in answers], [{"id": row.pk, "name": "a.pdf"}] * 3)
        self.assertEqual(events, [row.pk])

    def test_only_a_repeat_says_that_it_is_one(self) -> None:
        marks = [self.send({"name": "a.pdf"}).headers.get("Idempotent-Replayed") for _ in range(3)]

        self.assertEqual(marks, [None, "true", "true"])

    def test_it_answers_with_the_object_as_it_is_now(self) -> None:
        self.send({"name": "a.pdf"})
        Upload.objects.update(filename="b.pdf")

        self.assertEqual(self.send({"name": "a.pdf"}).json()["name"], "b.pdf")

    def test_what_has_gone_since_is_not_found_and_not_made_again(self) -> None:
        self.send({"name": "a.pdf"})
        Upload.objects.all().delete()

        answer = self.send({"name": "a.pdf"})

        self.assertEqual((answer.status_code, answer.json()["code"]), (404, "not_found"))
        self.assertFalse(Upload.objects.exists())

    def test_without_a_key_each_request_makes_one_and_nothing_is_kept(self) -> None:
        ids = {self.send({"name": "a.pdf"}, None).json()["id"] for _ in range(2)}

        self.assertEqual(len(ids), 2)
        self.assertFalse(IdempotentWrite.objects.exists())

    def test_another_key_makes_another_one(self) -> None:
        ids = {self.send({"name": "a.pdf"}, key).json()["id"] for key in ("a", "b", "A")}

        self.assertEqual(len(ids), 3)

    def test_the_same_key_of_another_person_is_separate(self) -> None:
        mine = self.send({"name": "a.pdf"}).json()
        theirs = send(client_of(make_user()), {"name": "b.pdf"})

        self.assertEqual(theirs.status_code, 201)
        self.assertNotEqual(theirs.json()["id"], mine["id"])
        self.assertNotIn("Idempotent-Replayed", theirs.headers)

    def test_a_repeat_costs_a_read_of_the_key_and_one_of_the_object(self) -> None:
        self.send({"name": "a.pdf"})

        with self.assertNumQueries(4):  # two of them begin and end the transaction
            self.send({"name": "a.pdf"})


class AnotherRequestTests(OnceTestCase):
    def assert_reused(self, answer: Any) -> None:
        self.assertEqual((answer.status_code, answer.json()["code"]), (422, "idempotency_key_reused"))
        self.assertEqual(Upload.objects.count(), 1)

    def test_another_body_is_refused_and_the_first_stays_good(self) -> None:
        first = self.send({"name": "a.pdf"}).json()

        for body in ({"name": "b.pdf"}, {"name": "a.pdf", "size": 1}, {}):
            with self.subTest(body=body):
                self.assert_reused(self.send(body))
        self.assertEqual(self.send({"name": "a.pdf"}).json(), first)

    def test_another_path_is_refused(self) -> None:
        self.send({"name": "a.pdf"})

        self.assert_reused(self.send({"name": "a.pdf"}, url=TWIN))

    def test_the_same_document_in_another_spelling_is_a_repeat(self) -> None:
        first = self.send({"name": "Zoë.pdf", "size": 1}).json()

        for spelling in (r'{ "size": 1, "name": "Zo\u00eb.pdf" }', '{"size":1,"name":"Zoë.pdf"}'):
            for url in (URL, URL.removesuffix("/")):
                with self.subTest(spelling=spelling, url=url):
                    answer = self.client.generic(
                        "POST", url, spelling, content_type="application/json", HTTP_IDEMPOTENCY_KEY=KEY
                    )
                    self.assertEqual((answer.status_code, answer.json()), (201, first))

    def test_forms_and_files_are_told_apart_by_what_they_hold(self) -> None:
        def form(content: bytes, filename: str = "a.txt") -> dict[str, Any]:
            return {"name": "a.pdf", "file": SimpleUploadedFile(filename, content)}

        self.send(form(b"one"), kind="multipart")

        self.assertEqual(self.send(form(b"one"), kind="multipart").status_code, 201)
        for other in (form(b"two"), form(b"one", "b.txt"), {"name": "a.pdf"}):
            with self.subTest(other=other):
                self.assert_reused(self.send(other, kind="multipart"))

    def test_a_file_is_left_as_if_unread(self) -> None:
        file = SimpleUploadedFile("a.txt", b"one")

        plain(file)

        self.assertEqual(file.read(), b"one")

    def test_a_body_too_deep_to_compare_is_refused_with_a_key_and_taken_without(self) -> None:
        deep = orjson.loads(b'{"name":"a.pdf","x":' + b"[" * 300 + b"]" * 300 + b"}")

        answer = self.send(deep)

        self.assertEqual((answer.status_code, answer.json()["code"]), (400, "parse_error"))
        self.assertEqual(self.send(deep, None).status_code, 201)


class RefusedTests(OnceTestCase):
    def test_what_is_refused_stores_nothing_and_is_mended_with_the_same_key(self) -> None:
        self.assertEqual(self.send({"name": "!"}).status_code, 400)
        self.assertFalse(IdempotentWrite.objects.exists() or Upload.objects.exists() or events)

        answer = self.send({"name": "a.pdf"})

        self.assertEqual(answer.status_code, 201)
        self.assertNotIn("Idempotent-Replayed", answer.headers)

    def test_a_fault_leaves_no_trace_and_the_next_try_is_the_first(self) -> None:
        with patch(f"{__name__}.make_upload", side_effect=RuntimeError):
            self.assertEqual(self.send({"name": "a.pdf"}).status_code, 500)
        self.assertFalse(IdempotentWrite.objects.exists())

        self.assertEqual(self.send({"name": "a.pdf"}).status_code, 201)

    def test_what_is_no_key_is_named(self) -> None:
        for key in ("", " ", "a b", "k\u00e9y", "a\tb", "x" * 256, "\x7f"):
            with self.subTest(key=key[:9]):
                answer = self.send({"name": "a.pdf"}, key)

                self.assertEqual((answer.status_code, answer.json()["code"]), (400, "validation_error"))
                self.assertEqual(next(iter(answer.json())), "Idempotency-Key")
        self.assertFalse(Upload.objects.exists())

    def test_keys_of_1_to_255_characters_are_taken(self) -> None:
        for key in ("x", "x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "~!$%/:;,=?"):
            with self.subTest(key=key[:9]):
                self.assertEqual(self.send({"name": "a.pdf"}, key).status_code, 201)


class KeptTests(OnceTestCase):
    def test_neither_key_nor_body_can_be_read_in_the_table(self) -> None:
        self.send({"name": "lovelace.pdf"}, "new-lovelace@example.org")

        row = IdempotentWrite.objects.values().get()

        self.assertNotIn("lovelace", str(row))
        self.assertEqual((len(row["key"]), len(row["fingerprint"])), (64, 64))

    def test_a_repeat_is_known_after_the_secret_has_changed(self) -> None:
        first = self.send({"name": "a.pdf"}).json()

        with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            again = self.send({"name": "a.pdf"})

        self.assertEqual((again.status_code, again.json()), (201, first))

    def test_a_server_that_did_not_know_the_new_secret_yet_makes_no_fault(self) -> None:
        old, new = settings.SECRET_KEY, "n" * 50
        for secret, fallbacks in ((new, [old]), (old, []), (new, [old])):
            with override_settings(SECRET_KEY=secret, SECRET_KEY_FALLBACKS=fallbacks):
                answer = self.send({"name": "a.pdf"})
            self.assertEqual(answer.status_code, 201)

    def test_it_goes_with_the_person(self) -> None:
        self.send({"name": "a.pdf"})

        self.user.delete()

        self.assertFalse(IdempotentWrite.objects.exists())

    def test_keys_are_forgotten_after_a_day_and_the_objects_stay(self) -> None:
        for key, hours in (("young", 23.9), ("old", 24.1)):
            self.send({"name": key}, key)
            newest = IdempotentWrite.objects.latest("pk")
            newest.created_at -= timedelta(hours=hours)
            newest.save()

        self.assertEqual(prune_idempotent_writes(), {"deleted": 1})

        self.assertEqual(Upload.objects.count(), 2)
        marks = {
            key: self.send({"name": key}, key).headers.get("Idempotent-Replayed") for key in ("young", "old")
        }
        self.assertEqual(marks, {"young": "true", "old": None})

    def test_forgetting_comes_round_each_hour(self) -> None:
        self.assertEqual(jobs["prune_idempotent_writes"][0], timedelta(hours=1))


@override_settings(ROOT_URLCONF=__name__)
@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class ParallelTests(TransactionTestCase):
    def setUp(self) -> None:
        events.clear()
        self.user = make_user()

    def send_at_once(self, count: int, name_of: Any = lambda _: "a.pdf") -> list[Any]:
        return in_parallel(lambda n: send(client_of(self.user), {"name": name_of(n)}), count)

    def test_of_20_at_once_one_makes_it_and_all_answer_it(self) -> None:
        """B34."""
        answers = self.send_at_once(20)

        row = Upload.objects.get()
        self.assertEqual(
            [(answer.status_code, answer.json()["id"]) for answer in answers], [(201, row.pk)] * 20
        )
        self.assertEqual(sum("Idempotent-Replayed" in answer.headers for answer in answers), 19)
        self.assertEqual(events, [row.pk])

    def test_where_the_first_is_refused_one_of_the_others_makes_it(self) -> None:
        makes, refusals = make_upload, [Refused()]

        def refuse_the_first(owner: User, name: str) -> Upload:
            if refusals:
                raise refusals.pop()
            return makes(owner, name)

        with patch(f"{__name__}.make_upload", refuse_the_first):
            answers = self.send_at_once(8)

        self.assertEqual(sorted(answer.status_code for answer in answers), [201] * 7 + [400])
        self.assertEqual(len(events), Upload.objects.count())
        self.assertEqual(Upload.objects.count(), 1)

    def test_other_bodies_at_once_are_refused_but_for_one(self) -> None:
        answers = self.send_at_once(8, name_of=lambda n: f"{n}.pdf")

        self.assertEqual(sorted(answer.status_code for answer in answers), [201] + [422] * 7)
        self.assertEqual(len(events), 1)

    def test_other_people_at_once_get_their_own(self) -> None:
        people = [make_user() for _ in range(8)]

        answers = in_parallel(lambda n: send(client_of(people[n]), {"name": "a.pdf"}), 8)

        self.assertEqual(len({answer.json()["id"] for answer in answers}), 8)
