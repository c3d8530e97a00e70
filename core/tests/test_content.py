"""What a file's bytes say: harmless ones pass as people have them, others do not (B85)."""

from __future__ import annotations

from django.test import SimpleTestCase

from core.tests.files import sent
from core.uploads.policy import UploadRefused, check_upload

HARMLESS: dict[str, bytes] = {
    "UTF-16": "Ein Plan ü".encode("utf-16"),
    "UTF-32": "Ein Plan ü".encode("utf-32"),
    "UTF-8 with a mark": "Plan".encode("utf-8-sig"),
    "Shift JIS": "計画".encode("shift-jis"),
    "two letters": b"MZ is the initials of a name.",
    "a comparison": b"if x<headroom then stop",
    "a tag in a sentence": b"We put the <body> tag last.",
    "a signature in a sentence": b"Files starting with %PDF-1.4 are documents.",
    "nothing but a line": b"\n",
}
REFUSED: dict[str, bytes] = {
    "a page": b"\xef\xbb\xbf \n<!DOCTYPE html>",
    "a page in UTF-16": "<html>".encode("utf-16"),
    "a drawing": b"<svg onload=alert(1)>",
    "a program": b"MZ\x90\0\3",
    "a script": b"#!/bin/sh\n",
    "a document": b"%PDF-1.7\n",
    "NULs": b"a\0b",
}


class TextTests(SimpleTestCase):
    def test_texts_as_people_have_them_pass(self) -> None:
        for name, content in HARMLESS.items():
            with self.subTest(name):
                check_upload(sent("a.txt", content, "text/plain"))

    def test_what_is_no_text_is_refused(self) -> None:
        for name, content in REFUSED.items():
            with self.subTest(name), self.assertRaises(UploadRefused):
                check_upload(sent("a.txt", content, "text/plain"))


class NameTests(SimpleTestCase):
    def test_dots_in_a_name_do_no_harm(self) -> None:
        for name in ("www.site.com.pdf", "report.v1.2.pdf", "main.js.pdf", "a.exe.notes.pdf"):
            with self.subTest(name):
                check_upload(sent(name, b"content", "application/pdf"))

    def test_what_a_server_would_run_is_refused_wherever_it_stands(self) -> None:
        for name in ("a.php.pdf", "a.PHTML.x.pdf", "a.jsp.pdf"):
            with self.subTest(name), self.assertRaises(UploadRefused):
                check_upload(sent(name, b"content", "application/pdf"))


class DocumentTests(SimpleTestCase):
    def test_a_document_may_hold_xml_near_its_start(self) -> None:
        check_upload(sent("a.pdf", b"%PDF-1.7\n<?xpacket?><?xml version='1.0'?>", "application/pdf"))

    def test_content_that_is_no_document_may_hold_nothing_active(self) -> None:
        for content in (b"content <script>", b"  <html>", b"junk <?xml"):
            with self.subTest(content=content), self.assertRaises(UploadRefused):
                check_upload(sent("a.pdf", content, "application/pdf"))
