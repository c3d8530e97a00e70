"""Files that gunicorn lets NGINX send (FILE_DELIVERY=accel), from the disk and out of a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from btf_backend.tests.front import Answer, Upstream
from btf_backend.tests.test_deploy_front import SPA, FrontTestCase
from core.uploads.delivery import BUCKET_LOCATION, FILES_LOCATION, POLICY

if TYPE_CHECKING:
    from btf_backend.tests.front import Told

# What Django says of a file beside where it is: core/uploads/delivery.py, CORS, and HSTS.
SAID: Final = {
    "Content-Type": "application/pdf",
    "Content-Disposition": 'attachment; filename="plan.pdf"',
    "Content-Security-Policy": POLICY,
    "Cache-Control": "private, no-cache",
    "Access-Control-Allow-Origin": SPA,
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Expose-Headers": "Content-Disposition",
    "Strict-Transport-Security": "max-age=31536000",
}


class AccelTests(FrontTestCase):
    bucket: Upstream

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.bucket = Upstream()
        cls.addClassCleanup(cls.bucket.end)
        folder = cls.front.folder / "media" / "uploads"
        folder.mkdir()
        (folder / "0123.pdf").write_bytes(b"0123456789")

    def setUp(self) -> None:
        super().setUp()
        self.bucket.asked.clear()
        self.bucket.answers.clear()

    def ask(self, location: str, **headers: str) -> Told:
        self.upstream.answers = [Answer(headers={**SAID, "X-Accel-Redirect": location})]
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.front.ask("/media/token/uploads/0123.pdf", headers=given)

    def assert_headers_are_kept(self, told: Told) -> None:
        for name, value in SAID.items():
            self.assertEqual(told.headers.get_all(name), [value], name)
        self.assertEqual(told.headers.get_all("X-Content-Type-Options"), ["nosniff"])
        self.assertEqual(told.headers.get_all("Vary"), ["Origin"])
        self.assertEqual(told.headers["X-Request-ID"], told.id)
        self.assertNotIn("X-Accel-Redirect", told.headers)

    def test_a_file_comes_from_the_disk_with_what_django_said(self) -> None:
        told = self.ask(f"{FILES_LOCATION}uploads/0123.pdf")

        self.assertEqual((told.status, told.body), (200, b"0123456789"))
        self.assert_headers_are_kept(told)

    def test_a_span_of_it_too(self) -> None:
        told = self.ask(f"{FILES_LOCATION}uploads/0123.pdf", Range="bytes=2-4")

        self.assertEqual((told.status, told.body), (206, b"234"))
        self.assertEqual(told.headers["Content-Range"], "bytes 2-4/10")
        self.assert_headers_are_kept(told)

    def test_a_lost_file_is_a_404_in_our_words(self) -> None:
        told = self.ask(f"{FILES_LOCATION}uploads/lost.pdf")

        self.assertEqual((told.status, told.json["code"]), (404, "not_found"))

    def test_nothing_beside_the_folder_is_sent(self) -> None:
        for way in ("../key.pem", "..%2fkey.pem", "uploads/../../key.pem"):
            with self.subTest(way):
                self.assertNotEqual(self.ask(f"{FILES_LOCATION}{way}").status, 200)

    def test_an_object_comes_by_its_signed_address_alone(self) -> None:
        """Who asks, and by what right, is nothing that a bucket learns."""
        self.bucket.answers = [Answer(headers={"Content-Type": "application/pdf"}, body=b"0123456789")]

        told = self.ask(
            f"{BUCKET_LOCATION}{self.bucket.address}/hub/uploads/0123.pdf?X-Amz-Signature=abc&a=b%2Fc",
            Authorization="Bearer ours",
            Cookie="sessionid=ours",
            Origin=SPA,
            Referer=f"{SPA}/chat",
            Range="bytes=2-4",
        )

        self.assertEqual((told.status, told.body), (200, b"0123456789"))
        self.assert_headers_are_kept(told)
        (asked,) = self.bucket.asked
        self.assertEqual(asked.path, "/hub/uploads/0123.pdf?X-Amz-Signature=abc&a=b%2Fc")
        self.assertEqual(asked.headers["Host"], self.bucket.address)
        self.assertEqual(asked.headers["Range"], "bytes=2-4")
        for name in ("Authorization", "Cookie", "Origin", "Referer", "X-Forwarded-For"):
            self.assertNotIn(name, asked.headers)

    def test_an_object_s_own_headers_are_not_ours(self) -> None:
        its = {
            "X-Accel-Redirect": f"{FILES_LOCATION}uploads/0123.pdf",
            "Set-Cookie": "sessionid=theirs",
            "Access-Control-Allow-Origin": "*",
            "Content-Security-Policy": "default-src *",
            "Content-Disposition": "inline",
            "Vary": "Origin, Access-Control-Request-Headers",
        }
        self.bucket.answers = [Answer(headers={**its, "Content-Type": "application/pdf"}, body=b"theirs")]

        told = self.ask(f"{BUCKET_LOCATION}{self.bucket.address}/hub/x")

        self.assertEqual(told.body, b"theirs")
        self.assertNotIn("Set-Cookie", told.headers)
        self.assert_headers_are_kept(told)

    def test_a_bucket_that_does_not_answer_is_a_503(self) -> None:
        told = self.ask(f"{BUCKET_LOCATION}127.0.0.1:9/hub/x")

        self.assertEqual((told.status, told.json["code"]), (503, "service_unavailable"))

    def test_the_log_tells_neither_link_nor_signature(self) -> None:
        for location in (
            "_files/uploads/0123.pdf",
            f"_bucket/{self.bucket.address}/hub/x?X-Amz-Signature=abc",
        ):
            told = self.ask(f"/{location}")

            self.assertEqual(self.front.line(request_id=told.id)["path"], "/media/***")
        self.assertNotIn("X-Amz", str(self.front.lines) + self.front.complaints)
