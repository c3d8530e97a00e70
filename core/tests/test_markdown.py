"""Markdown as HTML: what people may write is shown, and nothing else gets through (SAFETY: stored XSS)."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

from django.test import SimpleTestCase

from core.markdown import (
    ATTRIBUTES,
    GROWTH,
    LARGEST_KEPT,
    LINK,
    SPARE,
    TAGS,
    kept_html,
    safe_html,
    sanitised,
)

REL: Final = "nofollow noopener noreferrer"
TABLE: Final = (
    "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n"
    "<tbody>\n<tr>\n<td>1</td>\n</tr>\n</tbody>\n</table>\n"
)
# As they stand in a text, or in HTML that a parser might let through.
ATTACKS: Final = (
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='jav&#x09;ascript:alert(1)'>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD4='>x</a>",
    "<a href='vbscript:x'>x</a>",
    "<a href='https://x.example/' onclick='alert(1)' style='position:fixed' target='_top'>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<form action='https://evil.example/'><input name=code><button>Go</button></form>",
    "<style>*{background:url(//evil.example)}</style>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href='//evil.example/'>",
    "<object data='//evil.example'></object><embed src='//evil.example'>",
    "<video poster='//evil.example/x'><source onerror=alert(1)></video>",
    "<details open ontoggle=alert(1)>",
    "<body onload=alert(1)>",
    "<p id=app class=modal name=getElementById>x</p>",
    "<!-- --><b>x</b><![CDATA[<script>]]>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<div style='background:url(javascript:alert(1))'>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](\u0001javascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](file:///etc/passwd)",
    "[x](blob:https://x.example/1)",
    "[x](//evil.example)",
    "[x](/admin/logout)",
    "[x](\\\\evil.example)",
    "[x][r]\n\n[r]: javascript:alert(1)",
    "<javascript:alert(1)>",
    '[x](https://x.example/" onmouseover="alert(1)")',
    '[x](https://x.example/ "a\\" onmouseover=\\"alert(1)")',
    "[x](https://x.example/ '\" autofocus onfocus=alert(1)')",
    "![x](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
    "![x](data:image/svg+xml,<svg onload=alert(1)>)",
    '![" onerror="alert(1)](https://evil.example/x.png)',
    "[![<img src=x onerror=alert(1)>](https://evil.example/a.png)](javascript:alert(1))",
    "[a [b](javascript:alert(1)) c](https://x.example/)",
    "```x onload=alert(1)><script>\n</code></pre><script>alert(1)</script>\n```",
    "`</code><script>alert(1)</script>`",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "> - 1. <img src=x onerror=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
)


class Page(HTMLParser):
    """Reads HTML as a browser would find it, and notes what is not allowed."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        allowed = {*ATTRIBUTES.get(tag, ()), *(["rel"] if tag == "a" else [])}
        self.faults += [tag] if tag not in TAGS else []
        self.faults += [f"{tag} {name}" for name, _ in attrs if name not in allowed]
        given = dict(attrs)
        if tag == "a":
            self.faults += [] if given.get("rel") == REL else ["rel"]
            self.faults += [] if LINK.match(given.get("href") or "https://") else [str(given["href"])]

    def handle_comment(self, data: str) -> None:
        self.faults.append("comment")

    def handle_decl(self, decl: str) -> None:
        self.faults.append("declaration")


class AttackTests(SimpleTestCase):
    def test_nothing_gets_through_as_markdown(self) -> None:
        for text in ATTACKS:
            with self.subTest(text):
                self.assertEqual(Page(safe_html(text)).faults, [])

    def test_nothing_gets_through_the_second_gate_alone(self) -> None:
        for text in ATTACKS:
            with self.subTest(text):
                self.assertEqual(Page(sanitised(text)).faults, [])

    def test_attacks_inside_attacks(self) -> None:
        for outer in (
            "[{}](https://x.example/)",
            "**{}**",
            "> {}",
            "- {}",
            "| {} |\n|---|",
            "![{}](x)",
            "# {}",
        ):
            for text in ATTACKS:
                with self.subTest(outer=outer, text=text):
                    self.assertEqual(Page(safe_html(outer.replace("{}", text))).faults, [])

    def test_the_reader_of_this_test_finds_what_it_looks_for(self) -> None:
        for html in ("<b>x</b>", "<p class=x>", "<a href='/x'>", "<img src=x>", "<!-- x -->", "<a rel=x>"):
            with self.subTest(html):
                self.assertNotEqual(Page(html).faults, [])

    def test_what_nests_or_repeats_for_ever_ends(self) -> None:
        for text in ("> " * 5_000, "[" * 5_000, "*a " * 3_000, "`" * 5_000, "- " * 5_000, "![" * 2_500):
            with self.subTest(text[:2]):
                self.assertEqual(Page(safe_html(text)).faults, [])


def table(columns: int, rows: int, row: str = "|") -> str:
    return "\n".join(["|" + mark * columns for mark in ("a|", "-|")] + [row] * rows) + "\n\n"


class GrowthTests(SimpleTestCase):
    """A text of the greatest length that the API takes."""

    def test_it_cannot_become_megabytes(self) -> None:
        for name, text in (
            ("definition", "[a]: https://x.example/" + "a" * 9_900 + "\n\n" + "[a]" * 3_300),
            ("wide table", table(256, 9_000)),
            ("many tables", table(16, 50) * 110),
            ("tables in a quote", "> " + table(100, 9_000).replace("\n", "\n> ")),
            ("empty rows", table(1, 9_990)),
            ("quotes", ("> " * 19 + "\n\n---\n") * 400),
            ("addresses", "[x](https://x.example/" + "😀" * 19_000 + ")"),
            ("signs", "&" * 20_000),
        ):
            with self.subTest(name):
                html = safe_html(text[:20_000])
                self.assertLessEqual(len(html.encode()), GROWTH * len(text[:20_000].encode()) + SPARE)
                self.assertEqual(Page(html).faults, [])

    def test_a_table_is_read_where_its_cells_were_written(self) -> None:
        for name, text in (
            ("a gap", table(4, 3, "| 1 |")),
            ("long", table(8, 400, "|" + " 1 |" * 8)),
            ("without bars around it", "a|b\n-|-\n" + "1|2\n" * 300),
        ):
            with self.subTest(name):
                self.assertIn("<table>", safe_html(text))
        self.assertEqual(safe_html(table(100, 100)).count("<t"), 0)

    def test_what_was_out_of_proportion_is_its_own_text(self) -> None:
        text = ("> " * 19 + "\n\n---\n") * 400

        self.assertEqual(safe_html(text), f"<p>{text.replace('>', '&gt;')}</p>\n")

    def test_a_link_says_itself_where_it_leads(self) -> None:
        text = "[x][a] [a]\n\n[a]: https://x.example"

        self.assertEqual(safe_html(text), "<p>[x][a] [a]</p>\n<p>[a]: https://x.example</p>\n")

    def test_what_is_large_is_not_kept(self) -> None:
        for text, kept in (("once " * 10, 1), ("`x` " * 5_000, 0)):
            kept_html.cache_clear()
            with self.subTest(kept=kept):
                self.assertEqual(len(safe_html(text)) > LARGEST_KEPT, not kept)
                self.assertEqual(safe_html(text), safe_html(text))
                self.assertEqual(kept_html.cache_info().currsize, kept)


class MarkdownTests(SimpleTestCase):
    def test_what_people_write_is_shown(self) -> None:
        for text, html in (
            ("", ""),
            ("Hello", "<p>Hello</p>\n"),
            ("a\n\nb  \nc", "<p>a</p>\n<p>b<br>\nc</p>\n"),
            ("# *T*", "<h1><em>T</em></h1>\n"),
            ("**b** ~~s~~ `c`", "<p><strong>b</strong> <s>s</s> <code>c</code></p>\n"),
            ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
            ("3. a", '<ol start="3">\n<li>a</li>\n</ol>\n'),
            ("> q", "<blockquote>\n<p>q</p>\n</blockquote>\n"),
            ("---", "<hr>\n"),
            ("```py\nx < 1\n```", "<pre><code>x &lt; 1\n</code></pre>\n"),
            (
                "| a |\n|--:|\n| 1 |",
                TABLE,
            ),
            ("Zoë 伟 👩‍🔬 < & >", "<p>Zoë 伟 👩‍🔬 &lt; &amp; &gt;</p>\n"),
            ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"),
            ("https://x.example/", "<p>https://x.example/</p>\n"),
        ):
            with self.subTest(text):
                self.assertEqual(safe_html(text), html)

    def test_links_lead_to_the_web_and_to_mail(self) -> None:
        for address in ("https://x.example/?a=1&amp;b=2", "http://x.example", "mailto:a@x.example"):
            with self.subTest(address):
                self.assertEqual(
                    safe_html(f"[x]({address})"), f'<p><a href="{address}" rel="{REL}">x</a></p>\n'
                )

    def test_a_link_of_another_kind_stays_text(self) -> None:
        for address in ("/admin/", "x", "//x.example", "ftp://x.example", "#top", "javascript:x"):
            with self.subTest(address):
                self.assertEqual(safe_html(f"[x]({address})"), f"<p>[x]({address})</p>\n")

    def test_of_an_image_its_words_are_shown(self) -> None:
        self.assertEqual(
            safe_html("![A *blue* <cell>](https://x.example/c.png)"), "<p>A blue &lt;cell&gt;</p>\n"
        )
