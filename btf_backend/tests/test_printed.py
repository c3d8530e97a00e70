"""The document prints the tables that the tests walk."""

from django.test import SimpleTestCase

from btf_backend.tests.printed import DOCUMENT, with_tables


class PrintedTests(SimpleTestCase):
    def test_the_document_prints_the_tables_as_they_are(self) -> None:
        text = DOCUMENT.read_text()

        self.assertEqual(with_tables(text), text, "`make matrix` rewrites docs/ARCHITECTURE.md.")
