"""Spreadsheets are read as people's programs write them, and hostile ones get one clear sentence."""

from __future__ import annotations

from django.test import SimpleTestCase

from users.spreadsheets.columns import FORMULA_REASON, Columns
from users.spreadsheets.reading import MAX_BYTES, FileRefused, read_sheet

HEADER = ["email", "bio"]
ADA = ["ada@example.org", "x"]
READ: list[tuple[str, bytes, int, list[str]]] = [
    ("commas", b"email,bio\nada@example.org,x\n", 2, ADA),
    ("semicolons, as Excel writes them in Europe", b"email;bio\r\nada@example.org;x\r\n", 2, ADA),
    ("tabs", b"email\tbio\nada@example.org\tx", 2, ADA),
    ("a byte order mark", b"\xef\xbb\xbfemail,bio\nada@example.org,x", 2, ADA),
    ("a line that names the separator", b"\xef\xbb\xbfsep=;\r\nemail;bio\r\nada@example.org;x", 3, ADA),
    ("a separator that the header's quotes hold", b'email;"bio,,,"\nada@example.org;x', 2, ADA),
    ("old Macintosh line ends", b"email,bio\rada@example.org,x\r", 2, ADA),
    ("blank lines, and rows of separators", b"\n,,\nemail,bio\n\n,,,\nada@example.org,x\n,\n", 6, ADA),
    ("empty columns at the end", b"email,bio,,,\nada@example.org,x,,,\n", 2, ADA),
    ("space around cells", b"email , bio\n ada@example.org ,  x \n", 2, ADA),
    ("quotes", b'"email","bio"\n"ada@example.org","a ""b"", c"', 2, ["ada@example.org", 'a "b", c']),
    ("a quote within plain text", b'email,bio\nada@example.org,5" disk', 2, ["ada@example.org", '5" disk']),
    ("lines within a cell", b'email,"b\no"\n"ada@example.org","x\r\ny"', 3, ["ada@example.org", "x\r\ny"]),
    ("letters of the world", "email,bio\nada@example.org,Zoë 张".encode(), 2, ["ada@example.org", "Zoë 张"]),
]
REFUSED: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "empty"),
    ("nothing but blank lines", b"\n\n ,,\n", "empty"),
    ("10 MB of commas", b"," * MAX_BYTES, "Line 1 is longer"),
    ("10 MB of line ends", b"\n" * MAX_BYTES, "more than 200000 lines"),
    ("a byte too many", b"x" * (MAX_BYTES + 1), "larger than 10 MB"),
    ("a thousand columns", b",".join([b"x"] * 1000), "more than 100 columns"),
    ("ten thousand and one people", b"email\n" + b"x\n" * 10_001, "more than 10000 people"),
    ("a NUL", b"email\nx\n\0\n", "Line 3 holds a NUL"),
    ("Windows' own encoding", b"email,bio\r\nx,y\r\nz,Zo\xeb", "Line 3 is not UTF-8"),
    ("wrong bytes behind a byte order mark", b"\xef\xbb\xbfemail\n\xff", "Line 2 is not UTF-8"),
    ("UTF-16", "email".encode("utf-16"), "CSV UTF-8"),
    ("an Excel workbook", b"PK\x03\x04rest", "Excel workbook"),
    ("an old Excel workbook", b"\xd0\xcf\x11\xe0rest", "Excel workbook"),
    ("a quote that never closes", b'email\nx\n"y\nz\n', "Line 3 cannot be read"),
    ("an open quote before megabytes", b'email\n"' + b"x\n" * 150_000, "Line 2 cannot be read"),
    ("text behind a quote", b'email\n"x"y\n', "Line 2 cannot be read"),
    ("a separator we do not know", b"sep=|\nemail|bio", "Line 1 names a separator"),
]


class ReadingTests(SimpleTestCase):
    def test_what_programs_write_is_read(self) -> None:
        for name, data, line, cells in READ:
            with self.subTest(name):
                row = next(read_sheet(data).rows)

                self.assertEqual((row.line, row.cells), (line, cells))

    def test_what_cannot_be_read_is_refused_with_one_sentence(self) -> None:
        for name, data, part in REFUSED:
            with self.subTest(name), self.assertRaises(FileRefused) as caught:
                list(read_sheet(data).rows)
            self.assertIn(part, caught.exception.message, name)
            self.assertEqual((caught.exception.status, caught.exception.field), (400, "file"))

    def test_lines_are_those_of_the_file_also_behind_a_cell_of_many(self) -> None:
        sheet = read_sheet(b'email,bio\n"a","1\n2\n3"\nb\n\n"c"\n')

        self.assertEqual([row.line for row in sheet.rows], [2, 5, 7])


class ColumnTests(SimpleTestCase):
    def test_a_field_goes_by_its_name_on_the_wire_in_the_export_and_in_the_model(self) -> None:
        for name in ("firstName", "First Name", "first_name", "FIRST-NAME", "firstname"):
            with self.subTest(name):
                self.assertEqual(Columns(["E-mail", name]).fields, ["email", "firstName"])

    def test_unknown_columns_are_told_and_our_own_are_not(self) -> None:
        columns = Columns(["ID", "Name", "Line", "Reason", "email", "Shoe size", "", "password", "is_staff"])

        self.assertEqual(columns.ignored, ["Shoe size", "Column 7", "password", "is_staff"])

    def test_a_header_that_cannot_be_understood_is_refused(self) -> None:
        for header, part in (
            (["firstName"], "no column 'email'"),
            (["email", "First Name", "first_name"], "'firstName'"),
            (["email", "x" * 101], "column 2 is longer"),
        ):
            with self.subTest(header), self.assertRaises(FileRefused) as caught:
                Columns(header)
            self.assertIn(part, caught.exception.message)


class CellTests(SimpleTestCase):
    def values(self, name: str, cell: str) -> dict[str, object]:
        wanted = Columns(["email", name]).read(["ada@example.org", cell])
        self.assertEqual(wanted.faults, [])
        return {key: value for section in wanted.values.values() for key, value in section.items()}

    def reasons(self, name: str, cell: str) -> list[tuple[str, str]]:
        wanted = Columns(["email", name]).read(["ada@example.org", cell])
        return [(note.field, note.reason) for note in wanted.faults]

    def test_role_and_status_go_by_value_or_label_in_any_case(self) -> None:
        for name, cell, value in (
            ("role", "Mentor", "mentor"),
            ("role", "STUDENT", "student"),
            ("status", "Suspended", "inactive"),
            ("status", "active", "active"),
        ):
            with self.subTest(cell):
                self.assertEqual(self.values(name, cell)[name], value)

    def test_lists_are_split_and_an_apostrophe_of_ours_is_undone(self) -> None:
        self.assertEqual(self.values("areasOfInterest", "a; b,c,")["areas_of_interest"], ["a", "b", "c"])
        self.assertEqual(self.values("bio", "'=1+1")["bio"], "=1+1")
        self.assertEqual(
            self.values("phoneNumber", "+61 (02) 9999 0000")["phone_number"], "+61 (02) 9999 0000"
        )
        self.assertEqual(
            self.values("bio", "- I like maths (and bees)!")["bio"], "- I like maths (and bees)!"
        )

    def test_an_empty_cell_says_nothing(self) -> None:
        self.assertEqual(self.values("bio", ""), {"email": "ada@example.org"})

    def test_formulas_are_refused(self) -> None:
        for cell in ("=1+1", "@SUM(A1)", "+SUM(A1)", "-2+3+cmd|' /C calc'!A0", "+Sheet1!A1", "\uff1d1+1"):
            with self.subTest(cell):
                self.assertEqual(self.reasons("bio", cell), [("bio", FORMULA_REASON)])

    def test_what_the_api_would_refuse_is_refused_by_field(self) -> None:
        for name, cell in (
            ("yearLevel", "21"),
            ("yearLevel", "ten"),
            ("wwccExpiry", "05/04/2031"),
            ("wwccVerified", "maybe"),
            ("guardianEmail", "nobody"),
            ("role", "wizard"),
            ("track", "x" * 51),
            ("firstName", "x" * 101),
            ("areasOfInterest", ",".join(["x"] * 101)),
            ("newEmail", "nobody"),
        ):
            with self.subTest(name, cell=cell):
                self.assertEqual([field for field, _ in self.reasons(name, cell)], [name])

    def test_a_cell_that_is_long_beyond_sense_is_a_fault_of_its_field(self) -> None:
        for name, cell in (
            ("newEmail", "a@" + "é" * 90_000),
            ("areasOfInterest", "a," * 45_000),
            ("bio", "+" + "!a" * 45_000),
        ):
            with self.subTest(name):
                self.assertEqual([field for field, _ in self.reasons(name, cell)], [name])

    def test_cells_beyond_the_header_are_a_fault_of_the_row(self) -> None:
        wanted = Columns(["email"]).read(["ada@example.org", "", "x"])

        self.assertEqual([note.field for note in wanted.faults], [""])
