"""Archives and office documents: nothing that harms whoever opens them (B36)."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.test import SimpleTestCase

from core.tests.files import WORD, archive, sent
from core.uploads.policy import UploadRefused, check_upload

RELATION = '<Relationship Id="1" Type="http://s.test/{kind}" Target="http://x.test/" TargetMode="External"/>'


def document(**more: bytes | str) -> bytes:
    return archive(**{"[Content.Types]_xml": "<Types/>", "word__document_xml": "<w/>", **more})


def encrypted() -> bytes:
    """Return an archive whose directory says that a password is needed."""
    content = bytearray(archive(a_txt="x"))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    return bytes(content)


def bomb() -> bytes:
    """Return an archive of some 150 kB that unpacks to 150 MB."""
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as zipped:
        for n in range(150):
            zipped.writestr(f"{n}.txt", b"\0" * 1_000_000)
    return content.getvalue()


def of_many_files() -> bytes:
    content = BytesIO()
    with ZipFile(content, "w") as zipped:
        for n in range(5_001):
            zipped.writestr(ZipInfo(str(n)), b"")
    return content.getvalue()


class ArchiveTests(SimpleTestCase):
    def test_harmless_ones_pass(self) -> None:
        link = RELATION.format(kind="hyperlink")
        for name, content, mime_type in (
            ("a.zip", archive(a_txt="x", b__c_py="print()", d_html="<p>"), "application/zip"),
            ("a.zip", archive(), "application/zip"),
            ("a.docx", document(), WORD),
            ("a.docx", document(word___rels__document_xml_rels=link), WORD),
            ("a.docx", b"content", WORD),
        ):
            with self.subTest(name, content=content[:10]):
                check_upload(sent(name, content, mime_type))

    def test_harmful_ones_are_refused(self) -> None:
        template = RELATION.format(kind="attachedTemplate")
        refused = {
            "a bomb": ("a.zip", bomb(), "application/zip"),
            "many files": ("a.zip", of_many_files(), "application/zip"),
            "a password": ("a.zip", encrypted(), "application/zip"),
            "a program": ("a.zip", archive(a__setup_EXE="MZ"), "application/zip"),
            "half of one": ("a.zip", archive(a_txt="x")[:60], "application/zip"),
            "an end that lies": ("a.zip", archive(a_txt="x")[:-6], "application/zip"),
            "a macro": ("a.docx", document(word__vbaProject_bin="x"), WORD),
            "ActiveX": ("a.docx", document(word__activeX__activeX1_xml="x"), WORD),
            "a template elsewhere": ("a.docx", document(word___rels__settings_xml_rels=template), WORD),
            "a document as PDF": ("a.pdf", document(), "application/pdf"),
            "a PDF as document": ("a.docx", b"%PDF-1.7\n", WORD),
            "a PDF behind junk": ("a.pdf", b"junk%PDF-1.7\n", "application/pdf"),
            "an old document as picture": ("a.png", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 64, "image/png"),
        }
        for name, file in refused.items():
            with self.subTest(name), self.assertRaises(UploadRefused):
                check_upload(sent(*file))
