"""Letters as people see them: compared whole with core/tests/letters/, and looked at in Chromium.

``make letters`` rewrites what they are compared with: read the difference before you commit it.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.test import SimpleTestCase, override_settings, tag

from authentication.letters import proof_letter, sign_in_letter, site_letter, token_reuse_letter
from core.browser_testing import BrowserTestCase
from core.colours import READABLE, contrast, ink_on, readable
from core.mail import DARK, LIGHT, Envelope, Fact, Letter, Line, Reader, compose

SNAPSHOTS: Final = Path(__file__).parent / "letters"
READERS: Final = {
    "en": Reader("en", ZoneInfo("Australia/Sydney")),
    "pt-br": Reader("pt-br", ZoneInfo("America/Sao_Paulo")),
}
SECRETS: Final = {"sign_in": sign_in_letter, "sign_in_at_site": site_letter, "proof": proof_letter}
ENVELOPE: Final = Envelope(to="ada@example.org", message_id="<1.sign-in@hub.example.org>")
FULL_ENVELOPE: Final = Envelope(
    to="ada@example.org",
    message_id="<2.event@hub.example.org>",
    unsubscribe="https://hub.example.org/api/mail/unsubscribe/?token=abc.def",
    why="You get this because you are registered for this event.",
)
CONTENT: Final = """\
# What to bring

Bring **your poster**, on paper, and read [the guide](https://example.org/guide?a=1&b=2) before.

- A *pen*
- Water

> Curiosity is enough. <b>Really.</b>

## For mentors

1. Come at `17:30`
2. Look for the desk

```
room = "B12"
```

| Time | What |
|------|------|
| 18:00 | Welcome |
| 19:00 | Posters |
"""


def everything(reader: Reader) -> Letter:
    """Return a letter with everything in it that a letter can have."""
    return Letter(
        subject="Poster evening & <more>",
        opening="Poster evening & <more> begins soon.",
        facts=(
            Fact("When", reader.moment(datetime(2026, 12, 4, 7, 0, tzinfo=UTC))),
            Fact("Until", reader.day(date(2026, 12, 31))),
            Fact("Where", "12 Science Road, São Paulo"),
            Fact("Event", "https://hub.example.org/#/events/7?from=mail&day=4", action="See the event"),
        ),
        content=CONTENT,
        lines=(
            Line("Ana <wrote> in the chat of Team Axolotl", "https://hub.example.org/#/groups/T1?a=1&b=2"),
            Line("and 3 more"),
        ),
        closing="See you there & don't be late.",
    )


def rendered(name: str, language: str) -> Any:
    """Return a mail of which all is fixed."""
    reader = READERS[language]
    with reader.speaking():
        letter = SECRETS[name]("t0k3n_-", "004217") if name in SECRETS else everything(reader)
    return compose(letter, ENVELOPE if name in SECRETS else FULL_ENVELOPE, reader=reader)


def html_of(mail: Any) -> str:
    """Return the HTML part."""
    return str(mail.alternatives[0].content)


@override_settings(
    FRONTEND_BASE_URL="https://hub.example.org",
    PUBLIC_BASE_URL="https://api.hub.example.org",
    PROGRAMME_NAME="BIOTech Futures Hub",
    PROGRAMME_COLOUR="#0b6e4f",
    MAGIC_LINK_EXPIRY_SECONDS=600,
)
class SnapshotTests(SimpleTestCase):
    maxDiff = None

    def compare(self, name: str, text: str) -> None:
        path = SNAPSHOTS / name
        if os.environ.get("UPDATE_SNAPSHOTS") == "yes":
            path.write_text(text, encoding="utf-8")
        self.assertEqual(text, path.read_text(encoding="utf-8"))

    def test_letters_are_as_they_were_last_looked_at(self) -> None:
        for name, language in product((*SECRETS, "everything"), READERS):
            with self.subTest(name, language=language):
                mail = rendered(name, language)
                headers = "".join(f"{key}: {value}\n" for key, value in mail.extra_headers.items())

                self.compare(f"{name}.{language}.txt", f"Subject: {mail.subject}\n{headers}\n{mail.body}")
                self.compare(f"{name}.{language}.html", html_of(mail))

    def test_the_lines_that_clients_look_for_are_the_same_in_every_language(self) -> None:
        """CONTRACT 4.1."""
        for language in READERS:
            with self.subTest(language):
                body = rendered("sign_in", language).body

                self.assertIn("\nMagic Link: https://hub.example.org/auth/verify?token=t0k3n_-\n", body)
                self.assertIn("\nOne-Time Code: 004217\n", body)

    def test_nothing_else_of_it_is(self) -> None:
        english, other = (rendered("sign_in", language).body.splitlines() for language in READERS)

        self.assertEqual(len(english), len(other))
        same = {line.split(":")[0] for line in english if line in other}
        self.assertEqual(same, {"", "Magic Link", "One-Time Code", "BIOTech Futures Hub"})

    def test_the_warning_speaks_portuguese_too(self) -> None:
        with READERS["pt-br"].speaking():
            letter = token_reuse_letter("")

        self.assertIn("(dispositivo desconhecido)", letter.opening)


class ReaderTests(SimpleTestCase):
    AT = datetime(2026, 12, 4, 7, 0, tzinfo=UTC)

    def test_a_moment_is_told_in_the_language_and_by_the_clock_of_its_reader(self) -> None:
        self.assertEqual(
            [reader.moment(self.AT) for reader in READERS.values()],
            [
                "Friday, 4 December 2026, 18:00 (Australia/Sydney)",
                "sexta-feira, 4 de dezembro de 2026, 04:00 (America/Sao_Paulo)",
            ],
        )

    def test_its_day_is_that_of_the_reader(self) -> None:
        late = datetime(2026, 12, 4, 20, 30, tzinfo=UTC)

        self.assertEqual(READERS["en"].moment(late), "Saturday, 5 December 2026, 07:30 (Australia/Sydney)")

    @override_settings(PROGRAMME_LANGUAGE="pt-br", PROGRAMME_TIME_ZONE="America/Sao_Paulo")
    def test_who_chose_nothing_reads_as_the_programme_does(self) -> None:
        self.assertEqual(Reader(), READERS["pt-br"])
        self.assertIn('lang="pt-BR"', html_of(compose(Letter("a", "b"), ENVELOPE)))

    def test_the_language_around_a_letter_does_not_matter(self) -> None:
        with READERS["pt-br"].speaking():
            html = html_of(compose(Letter("a", "b"), FULL_ENVELOPE, reader=READERS["en"]))

        self.assertIn(">Unsubscribe</a>", html)
        self.assertIn('lang="en"', html)


class ColourTests(SimpleTestCase):
    COLOURS = ("#0b6e4f", "#000000", "#ffffff", "#ffd400", "#ff0000", "#777777", "#0000ff", "#757575")

    def test_all_text_can_be_read_by_day_and_by_night(self) -> None:
        for palette, ink, ground in product((LIGHT, DARK), ("ink", "muted"), ("surface", "page")):
            with self.subTest(palette[ground], ink=ink):
                self.assertGreaterEqual(contrast(palette[ink], palette[ground]), READABLE)

    def test_so_can_links_and_buttons_whatever_the_colour_of_the_programme(self) -> None:
        for colour in self.COLOURS:
            with self.subTest(colour):
                self.assertGreaterEqual(contrast(ink_on(colour), colour), READABLE)
                for palette in (LIGHT, DARK):
                    accent = readable(colour, on=palette["surface"])
                    self.assertGreaterEqual(contrast(accent, palette["surface"]), READABLE)

    def test_contrast_is_that_of_wcag(self) -> None:
        for one, other, expected in (
            ("#000000", "#ffffff", 21.0),
            ("#777777", "#ffffff", 4.48),
            ("#0b6e4f", "#0b6e4f", 1.0),
        ):
            with self.subTest(one):
                self.assertAlmostEqual(contrast(one, other), expected, places=2)
                self.assertAlmostEqual(contrast(other, one), expected, places=2)

    @override_settings(PROGRAMME_COLOUR="#ffd400")
    def test_a_yellow_programme_has_black_words_on_its_buttons_and_dark_links(self) -> None:
        html = html_of(compose(Letter("a", "b", (Fact("c", "https://x.org", action="d"),)), ENVELOPE))

        self.assertRegex(html, r'<a class="button"[^>]* style="[^"]*color: #000000;[^"]*background: #ffd400;')
        self.assertNotIn(";color: #ffd400", html)


@tag("browser")
class InChromiumTests(BrowserTestCase):
    LONG = Letter(
        subject="Long",
        opening="Donaudampfschifffahrtsgesellschaft" * 12,
        facts=(
            Fact("x" * 90, "y" * 200),
            Fact("Link", "https://hub.example.org/" + "a" * 276, action="Open " + "z" * 90),
        ),
        content=f"# {'h' * 120}\n\n{'p' * 300}\n\n`{'c' * 200}`\n\n```\n{'d' * 300}\n```\n\n"
        f"| {'e' * 80} | {'f' * 80} |\n|---|---|\n| 1 | 2 |\n\n- https://example.org/{'g' * 280}\n",
        lines=(Line("l" * 200, "https://hub.example.org/" + "b" * 276),),
        closing="w" * 200,
    )

    def show(self, html: str, *, width: int, scheme: str = "light") -> Any:
        self.tab.set_viewport_size({"width": width, "height": 800})
        self.tab.emulate_media(color_scheme=scheme)
        self.tab.set_content(html)
        return self.tab

    def test_nothing_scrolls_sideways_on_the_smallest_phone(self) -> None:
        asked: list[str] = []
        self.hear(self.tab, "request", lambda request: asked.append(request.url))
        for letter in (self.LONG, everything(READERS["en"])):
            with self.subTest(letter.subject):
                page = self.show(html_of(compose(letter, FULL_ENVELOPE)), width=320)

                self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), 320)
                self.assertEqual(asked, [])

    def test_the_colours_are_those_of_the_scheme(self) -> None:
        for scheme, palette in (("light", LIGHT), ("dark", DARK)):
            with self.subTest(scheme):
                page = self.show(html_of(rendered("everything", "en")), width=360, scheme=scheme)
                found = [
                    page.locator(place).evaluate("it => getComputedStyle(it).backgroundColor")
                    for place in ("body", ".letter")
                ]

                self.assertEqual(found, [css(palette["page"]), css(palette["surface"])])

    def test_what_a_list_of_mails_shows_is_not_shown_twice(self) -> None:
        page = self.show(html_of(rendered("sign_in", "en")), width=360)

        self.assertEqual(page.inner_text("body").count("Use the link or the code"), 1)


def css(colour: str) -> str:
    """Return a colour as Chromium tells it."""
    return "rgb({}, {}, {})".format(*bytes.fromhex(colour[1:]))
