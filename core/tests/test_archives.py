"""Archives and office documents: nothing that harms whoever opens them (B36)."""

from __future__ import annotations

from io import BytesIO
from unittest.mock import patch
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.test import SimpleTestCase

from core.tests.files import WORD, archive, sent
from core.uploads.policy import UploadRefused, check_upload

RELATION = '<Relationship Id="1" Type="http://s.test/{kind}" Target="http://x.test/" TargetMode="External"/>'
MANY = 50

ELSEWHERE = (
    '<p:Relationships xmlns:p="http://s.test/r" xmlns:x="http://s.test/x"><p:Relationship {more} Id="1" '
    'Target="http://x.test/" TargetMode="{mode}" Type="http://s.test/{kind}"/></p:Relationships>'
)


def stored() -> bytes:
    """Return a document that is not packed, as some programs write them."""
    content = BytesIO()
    with ZipFile(content, "w") as zipped:
        zipped.writestr("[Content_Types].xml", '<?xml version="1.0"?><Types/>')
        zipped.writestr("a.html", "<html>")
    return content.getvalue()


def document(**more: bytes | str) -> bytes:
    return archive(**{"[Content.Types]_xml": "<Types/>", "word__document_xml": "<w/>", **more})


def relations(text: str, encoding: str = "utf-8") -> bytes:
    """Return a document with those relations."""
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as zipped:
        zipped.writestr("[Content_Types].xml", "<Types/>")
        zipped.writestr("word/_rels/document.xml.rels", text.encode(encoding))
    return content.getvalue()


def damaged() -> bytes:
    """Return a document whose relations cannot be unpacked."""
    content = bytearray(relations("<Relationships>" + "x" * 500 + "</Relationships>"))
    place = content.index(b"document.xml.rels") + len("document.xml.rels")
    content[place : place + 8] = b"\xff" * 8
    return bytes(content)


def as_zip64(content: bytes) -> bytes:
    """Return an archive with a second end, which says more than the first could."""
    place = content.rindex(b"PK\x05\x06")
    locator = b"PK\x06\x07" + bytes(16)
    return content[:place] + locator + content[place:]


def encrypted() -> bytes:
    """Return an archive whose directory says that a password is needed."""
    content = bytearray(archive(a_txt="x"))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    return bytes(content)


def bomb() -> bytes:
    """Return an archive of some 25 kB that unpacks to 25 MB."""
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as zipped:
        for n in range(25):
            zipped.writestr(f"{n}.txt", b"\0" * 1_000_000)
    return content.getvalue()


def of_many_files() -> bytes:
    content = BytesIO()
    with ZipFile(content, "w") as zipped:
        for n in range(MANY + 1):
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
            ("a.docx", stored(), WORD),
            ("a.zip", stored(), "application/x-zip-compressed"),
            ("a.docx", relations(ELSEWHERE.format(more="", mode="Internal", kind="image")), WORD),
        ):
            with self.subTest(name, content=content[:10]):
                check_upload(sent(name, content, mime_type))

    @patch("core.uploads.archives.MOST_ENTRIES", MANY)
    def test_harmful_ones_are_refused(self) -> None:
        template = RELATION.format(kind="attachedTemplate")
        too_much = bomb()
        hidden = ELSEWHERE.format(more='x:Type="a/hyperlink" y="a>b"', mode="Exter&#110;al", kind="frame")
        refused = {
            "a bomb": ("a.zip", too_much, "application/zip"),
            "many files": ("a.zip", of_many_files(), "application/zip"),
            "a password": ("a.zip", encrypted(), "application/zip"),
            "a program": ("a.zip", archive(a__setup_EXE="MZ"), "application/zip"),
            "half of one": ("a.zip", archive(a_txt="x")[:60], "application/zip"),
            "an end that lies": ("a.zip", archive(a_txt="x")[:-6], "application/zip"),
            "a macro": ("a.docx", document(word__vbaProject_bin="x"), WORD),
            "ActiveX": ("a.docx", document(word__activeX__activeX1_xml="x"), WORD),
            "a template elsewhere": ("a.docx", document(word___rels__settings_xml_rels=template), WORD),
            "a bomb behind a byte": ("a.zip", b"\0" + too_much, "application/zip"),
            "a program behind letters": ("a.zip", b"PK00" + archive(a_exe="MZ"), "application/zip"),
            "an archive behind a PDF": ("a.pdf", b"%PDF-1.7\n" + archive(a_txt="x"), "application/pdf"),
            "a second end": ("a.zip", as_zip64(archive(a_txt="x")), "application/zip"),
            "a program that Windows finds": ("a.zip", archive(a_exe_="MZ"), "application/zip"),
            "a screen saver": ("a.zip", archive(a_scr="MZ"), "application/zip"),
            "a link well hidden": ("a.docx", relations(hidden), WORD),
            "the same in UTF-16": ("a.docx", relations(hidden, "utf-16"), WORD),
            "no XML": ("a.docx", relations("<Relationship " * 70_000), WORD),
            "too much of it": ("a.docx", relations("<Relationship/>" * 70_000), WORD),
            "entities": ("a.docx", relations('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'), WORD),
            "damaged relations": ("a.docx", damaged(), WORD),
            "a document as PDF": ("a.pdf", document(), "application/pdf"),
            "a PDF as document": ("a.docx", b"%PDF-1.7\n", WORD),
            "a PDF behind junk": ("a.pdf", b"junk%PDF-1.7\n", "application/pdf"),
            "an old document as picture": ("a.png", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 64, "image/png"),
        }
        for name, file in refused.items():
            with self.subTest(name), self.assertRaises(UploadRefused):
                check_upload(sent(*file))

    def test_looking_into_one_takes_no_time(self) -> None:
        """Linear in its size: what took half a minute before is refused at once."""
        many = relations("<Relationship <Relationship " * 30_000)

        with self.assertRaises(UploadRefused):
            check_upload(sent("a.docx", many, WORD))
