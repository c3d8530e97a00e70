"""Lists and forms of the admin site in Chromium: whole on a phone, whatever somebody is called, and seen."""

from __future__ import annotations

from typing import Final

from django.test import tag
from django.urls import reverse

from core.browser_testing import BrowserTestCase
from core.models import Upload
from groups.tests.factories import make_group
from users.tests.factories import make_superuser, make_user

WORD: Final = "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft"
# The cells of a list of which a part cannot be seen.
CLIPPED: Final = """() => [...document.querySelectorAll("#result_list tbody :is(td, th)")]
    .filter(cell => cell.scrollHeight > cell.clientHeight + 2 || cell.scrollWidth > cell.clientWidth + 2)
    .filter(cell => getComputedStyle(cell).overflow !== "visible").map(cell => cell.dataset.label)"""
# Those on a phone whose label is on more than two lines, one below the other.
SQUEEZED: Final = """() => [...document.querySelectorAll("#result_list tbody :is(td, th)")]
    .filter(cell => parseFloat(getComputedStyle(cell, "::before").height) > 50)
    .map(cell => cell.dataset.label)"""
WIDTHS: Final = """() => Object.fromEntries([...document.querySelectorAll("#result_list thead th")]
    .map(cell => [cell.innerText.split("\\n")[0].trim(), cell.getBoundingClientRect().width]))"""
WIDER: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@tag("browser")
class ListsInChromiumTests(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.come_in_as(make_superuser())
        self.person = make_user(
            first_name=WORD, last_name=WORD[:60], role="mentor", email=f"{WORD[:50]}@example.org"
        )
        self.group = make_group(name=f"{WORD} group", mentor=self.person, members=[make_user()])
        key = f"resources/files/{'a' * 60}/x.pdf"
        self.file = Upload.objects.create(owner=self.person, key=key, filename=f"{WORD}.pdf", size=1)

    def widen(self, width: int) -> None:
        self.tab.set_viewport_size({"width": width, "height": 900})

    def test_on_a_phone_nothing_is_cut_off_or_wider_than_it(self) -> None:
        pages = [
            reverse(f"admin:{name}_changelist") for name in ("users_user", "groups_group", "core_upload")
        ]
        pages += [reverse("admin:core_upload_change", args=[self.file.pk])]
        self.widen(390)
        for path in pages:
            with self.subTest(path):
                self.open(path)
                self.assertEqual(self.tab.evaluate(CLIPPED), [])
                self.assertEqual(self.tab.evaluate(SQUEEZED), [])
                self.assertEqual(self.tab.evaluate(WIDER), 0)

    def test_one_long_word_leaves_room_for_every_column(self) -> None:
        self.widen(1280)
        for name, column in (("users_user", "Person"), ("groups_group", "Mentor")):
            with self.subTest(name):
                self.open(reverse(f"admin:{name}_changelist"))
                widths = self.tab.evaluate(WIDTHS)
                self.assertLess(widths[column], 320)
                self.assertGreater(widths.get("Name", 100), 90)
                self.assertLess(sum(widths.values()), 970)  # what there is beside the sidebar

    def test_a_switch_that_has_the_focus_is_seen_to_have_it(self) -> None:
        self.widen(1280)
        self.open(reverse("admin:users_user_change", args=[self.person.pk]))
        for name in ("is_active", "is_staff"):
            with self.subTest(name):
                switch = self.tab.locator(f"#id_{name}")
                self.tab.keyboard.press("Tab")
                switch.focus()
                style = switch.evaluate("element => getComputedStyle(element).outlineStyle")
                self.assertEqual(style, "solid")
