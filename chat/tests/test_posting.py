"""``POST /api/groups/{gid}/messages`` (CONTRACT 8.2)."""

from __future__ import annotations

import tempfile
from itertools import product
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authentication.tests.signing_in import signed_in_client
from chat.models import Message, MessageAttachment
from chat.services.posting import Draft, posted_before
from chat.tests.cases import STATES, UNKNOWN_ID, ChatCase
from core.refusals import Missing
from core.uploads.store import store_upload
from groups.tests.cases import call
from groups.tests.factories import make_group
from users.models import User

if TYPE_CHECKING:
    from core.models import Upload

FILE: Final = {"url": "https://cdn.example.org/a.pdf", "filename": "a.pdf"}
LONG: Final = "x" * 256
BAD_TEXTS: Final[tuple[Any, ...]] = (5, 1.5, True, [], {}, ["x"], "a\0b", "x" * 10_001)
BAD_FILES: Final[tuple[Any, ...]] = (
    *("x", 5, {}, {"a": 1}, ["x"], [5], [None], [[]], [{}]),
    [FILE] * 11,
    [{"url": FILE["url"]}],
    [{"filename": "a.pdf"}],
    *([{**FILE, "filename": name}] for name in ("", " ", 5, None, LONG, "a\0b")),
    *([{**FILE, "size": size}] for size in (-1, 1.5, "x", 2**63, None, "[]")),
    *([{**FILE, "mimeType": kind}] for kind in (5, LONG, "", None)),
)
BAD_LINKS: Final = (
    *("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://cdn.example.org/a", "//x/a"),
    *(
        "/media/a.pdf",
        "a.pdf",
        "https:///a",
        "https:a",
        "http://",
        "https://[::1",
        "https://x:99999/a",
        "",
        5,
    ),
    *("https://cdn.example.org/a b", "https://cdn.example.org/\u202ea", "https://x/" + "a" * 2_040),
    *("https://evil.example\\@cdn.example.org/a", "HTTPS://x/\ta", None, ["https://x/a"], "JaVaScRiPt:x"),
)


class BodyTests(ChatCase):
    def test_a_text_that_is_none_is_refused_and_not_stored(self) -> None:
        """B70, B71."""
        for text in BAD_TEXTS:
            with self.subTest(str(text)[:20]):
                self.assert_refused(self.post(text=text), 400, "text")
        self.assertFalse(Message.objects.exists())

    @override_settings(CHAT_ATTACHMENT_ALLOWED_HOSTS=["cdn.example.org"])
    def test_attachments_that_are_none_are_refused(self) -> None:
        """B69, B70, B71."""
        for files in BAD_FILES:
            with self.subTest(str(files)[:60]):
                self.assert_refused(self.post(text="x", attachments=files), 400, "attachments")

    @override_settings(CHAT_ATTACHMENT_ALLOWED_HOSTS=["*", "cdn.example.org", ""])
    def test_a_link_that_is_none_or_dangerous_is_refused(self) -> None:
        """B68; SAFETY B35."""
        for link, name in product(BAD_LINKS, ("url", "file_url")):
            with self.subTest(str(link)[:40], name=name):
                files = [{"filename": "a.pdf", name: link}]
                self.assert_refused(self.post(text="x", attachments=files), 400, "attachments")

    def test_a_body_that_is_no_object_is_refused(self) -> None:
        """B71."""
        for body in ([1], ["text"], "x", 5):
            with self.subTest(body):
                response = call(self.student, "post", self.url(), body)
                self.assertEqual((response.status_code, type(response.json())), (400, dict))

    def test_neither_text_nor_file_is_refused(self) -> None:
        empty: tuple[Any, ...] = ({}, {"text": ""}, {"text": " \n "}, {"text": None}, {"attachments": []})
        for body in empty:
            with self.subTest(body):
                self.assert_refused(self.post(**body), 400, "text")

    def test_other_names_that_do_not_fit_are_refused(self) -> None:
        bad: dict[str, tuple[Any, ...]] = {
            "clientId": (5, [], "x" * 65, "a\0", None),
            "replyTo": ("x", 0, -1, 2**63, [], 1.5),
        }
        for name, values in bad.items():
            for value in values:
                with self.subTest(name, value=value):
                    self.assert_refused(self.post(text="x", **{name: value}), 400, name)

    def test_text_is_trimmed_and_may_be_as_long_as_allowed(self) -> None:
        self.assertEqual(self.posted(text="  Hello\n")["text"], "Hello")
        self.assertEqual(len(self.posted(text="\U0001f9ea" * 10_000)["text"]), 10_000)

    def test_unknown_keys_are_ignored(self) -> None:
        message = self.posted(author=self.friend.pk, isDeleted=True, moderationStatus="rejected", id=7)

        self.assertEqual(message["author"]["id"], self.student.pk)
        self.assertEqual((message["isDeleted"], message["moderation"]["status"]), (False, "approved"))

    def test_a_form_will_do(self) -> None:
        client = signed_in_client(self.student)

        self.assertEqual(client.post(self.url(), {"text": "Hello"}).status_code, 201)


class UploadingCase(ChatCase):
    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.enterContext(override_settings(MEDIA_ROOT=folder.name))

    def upload(self, owner: User) -> Upload:
        file = SimpleUploadedFile("plan.txt", b"plan", "text/plain")
        return store_upload(file, prefix="uploads", owner=owner)


class AttachmentTests(UploadingCase):
    def send(self, url: str) -> Any:
        return self.post(attachments=[{**FILE, "url": url}])

    def test_ones_own_upload_is_attached(self) -> None:
        """D7, D15."""
        upload = self.upload(self.student)

        for url in (f"http://testserver/media/{upload.key}", f"https://testserver/media/{upload.key}?a=b"):
            with self.subTest(url):
                message = self.send(url).json()
                row = MessageAttachment.objects.get(message=message["id"])
                (shown,) = message["attachments"]
                self.assertEqual((row.upload, row.file_url), (upload, upload.key))
                self.assertTrue(shown["file_url"].endswith(f"/{upload.key}"))
                self.assertEqual((shown["file_size"], shown["mime_type"]), (4, "text/plain"))
                self.assertEqual(b"".join(self.client.get(shown["file_url"])), b"plan")

    def test_neither_anothers_upload_nor_one_that_is_not_there_is(self) -> None:
        for key in (self.upload(self.friend).key, f"uploads/{'0' * 32}.txt"):
            with self.subTest(key):
                self.assert_refused(self.send(f"http://testserver/media/{key}"), 400, "attachments")

    def test_a_foreign_host_is_refused_whatever_its_path_looks_like(self) -> None:
        """B68: it could tell any reader that its file had been checked."""
        own = self.upload(self.student).key

        for url in (FILE["url"], f"https://evil.example/{own}", f"https://testserver@evil.example/{own}"):
            with self.subTest(url):
                self.assert_refused(self.send(url), 400, "attachments")

    def test_hosts_that_the_settings_name_are_taken(self) -> None:
        for allowed, url, status in (
            (["cdn.example.org"], FILE["url"], 201),
            (["cdn.example.org"], "http://cdn.example.org/a", 201),
            (["cdn.example.org"], "https://evil.example/cdn.example.org", 400),
            (["cdn.example.org"], "https://cdn.example.org.evil.example/a", 400),
            (["*"], "https://anywhere.example/a", 201),
            (["*"], "http://anywhere.example/a", 400),
        ):
            with self.subTest(url), override_settings(CHAT_ATTACHMENT_ALLOWED_HOSTS=allowed):
                self.assertEqual(self.send(url).status_code, status)

    @override_settings(CHAT_ATTACHMENT_ALLOWED_HOSTS=["cdn.example.org"])
    def test_both_spellings_are_read_and_one_is_written(self) -> None:
        camel = {**FILE, "size": "7", "mimeType": "application/pdf"}
        snake = {"file_url": FILE["url"], "filename": "a.pdf", "file_size": 7, "mime_type": "application/pdf"}

        for body in (camel, snake):
            with self.subTest(list(body)):
                self.assertEqual(self.posted(text="", attachments=[body])["attachments"], [snake])

    @override_settings(CHAT_ATTACHMENT_ALLOWED_HOSTS=["cdn.example.org"])
    def test_ten_files_of_any_size_will_do(self) -> None:
        """B69."""
        message = self.posted(text="", attachments=[{**FILE, "size": 2**63 - 1}] * 10)

        self.assertEqual([file["file_size"] for file in message["attachments"]], [2**63 - 1] * 10)


class WhoPostsTests(ChatCase):
    def test_everybody_in_the_group_does(self) -> None:
        for role, who in self.readers.items():
            with self.subTest(role):
                self.assertEqual(self.posted(who)["author"]["id"], who.pk)

    def test_an_outsider_is_told_so_before_what_is_wrong_with_the_body(self) -> None:
        for body in ({}, {"text": 5}, {"text": "Hello"}, {"attachments": "x"}):
            with self.subTest(body):
                self.assert_refused(self.post(self.outsider, **body), 403)
                unknown = self.url().replace("BTF046", "BTF999")
                self.assert_refused(call(self.outsider, "post", unknown, body), 404)
        self.assertFalse(Message.objects.exists())

    def test_who_has_left_is_suspended_or_gone_posts_nothing_more(self) -> None:
        """B62, over HTTP: what was read when the request began does not count."""
        self.group.members.filter(user=self.friend).delete()
        self.assert_refused(self.post(self.friend, text="x"), 403)

        User.objects.filter(pk=self.student.pk).update(status="inactive")
        self.assert_refused(self.post(self.student, text="x"), 401)

    def test_nobody_posts_into_an_archived_group(self) -> None:
        """B63, over HTTP."""
        type(self.group).everything.filter(pk=self.group.pk).update(archived_at=timezone.now())

        for who in (self.student, self.admin):
            self.assert_refused(self.post(who, text="x"), 404)


class QuoteOnPostTests(ChatCase):
    def test_a_quote_must_be_a_message_here_that_its_author_may_read(self) -> None:
        elsewhere = self.write(group=make_group(members=[self.student, self.friend]))
        hidden = [self.write(**fields) for state, fields in STATES.items() if state != "approved"]

        for quoted in (UNKNOWN_ID, elsewhere.pk, *(message.pk for message in hidden)):
            with self.subTest(quoted):
                self.assert_refused(self.post(self.friend, text="x", replyTo=quoted), 400, "replyTo")

    @override_settings(CHAT_BURST=1, CHAT_PER_SECOND=1 / 3600)
    def test_a_wrong_quote_holds_nobody_up_and_is_refused_before_the_budget_is_asked(self) -> None:
        self.assertEqual(self.post(text="x").status_code, 201)
        with CaptureQueriesContext(connection) as captured:
            self.assert_refused(self.post(text="x", replyTo=UNKNOWN_ID), 400, "replyTo")

        self.assertEqual([query["sql"] for query in captured if "UPDATE" in query["sql"]], [])
        self.assertEqual(self.post(text="x").status_code, 429)

    def test_what_is_removed_while_the_lock_is_waited_for_is_not_quoted(self) -> None:
        quoted = self.write()

        def remove(author: User) -> None:
            Message.objects.filter(pk=quoted.pk).update(**STATES["removed"])

        with patch("chat.services.posting.charge", remove):
            self.assert_refused(self.post(self.friend, text="x", replyTo=quoted.pk), 400, "replyTo")

    def test_a_message_that_went_with_its_group_is_missing(self) -> None:
        with self.assertRaises(Missing):
            posted_before(Draft(text="x"), UNKNOWN_ID, group=self.group)


class CostTests(UploadingCase):
    def cost(self, **body: Any) -> list[str]:
        """Return the queries of a post."""
        client = signed_in_client(self.student)
        with CaptureQueriesContext(connection) as captured:
            self.assertIn(client.post(self.url(), body, format="json").status_code, (200, 201))
        return [query["sql"] for query in captured.captured_queries if "SAVEPOINT" not in query["sql"]]

    def assert_costs(self, cost: int, **body: Any) -> None:
        queries = self.cost(**body)
        self.assertEqual(len(queries), cost, queries)

    @override_settings(CHAT_ATTACHMENT_ALLOWED_HOSTS=["cdn.example.org"])
    def test_posting_costs_five_queries_and_one_for_each_kind_of_thing_that_hangs_on_it(self) -> None:
        """Who asks, what they see, the counters, what they see now, the message; a quote comes along."""
        quoted = self.write().pk
        for cost, body in (
            (5, {"text": "Hello"}),
            (5, {"text": "Hello", "clientId": "a"}),
            (4, {"text": "Hello", "clientId": "a"}),
            (5, {"text": "Yes", "replyTo": quoted}),
            (5, {"text": "@nobody"}),
            (6, {"text": "@Max look"}),
            (6, {"attachments": [FILE] * 10}),
            (7, {"text": "@Max look", "replyTo": quoted, "attachments": [FILE], "clientId": "b"}),
        ):
            with self.subTest(str(body)[:80]):
                self.assert_costs(cost, **body)

    def test_a_file_of_ones_own_costs_one_more(self) -> None:
        file = {**FILE, "url": f"http://testserver/media/{self.upload(self.student).key}"}
        quoted = self.write().pk

        self.assert_costs(7, attachments=[file])
        self.assert_costs(8, text="@Max look", replyTo=quoted, attachments=[file], clientId="b")

    def test_a_name_is_asked_for_before_the_lock_and_with_it_held(self) -> None:
        def speak(author: User) -> None:
            self.write()

        for number, meanwhile in enumerate((lambda _: None, speak)):
            with self.subTest(number), patch("chat.services.posting.charge", meanwhile):
                queries = self.cost(text="Hello", clientId=f"a{number}")
                asked = [query for query in queries if f"\"client_id\" = ('a{number}')" in query]
                self.assertEqual(len(asked), 2, queries)
