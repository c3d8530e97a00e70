"""The admin site in Chromium, by role: with the keyboard alone, on a desk and on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth.models import Permission
from django.test import Client, tag

from core.browser_testing import BrowserTestCase, violations
from core.roles import Role
from core.testing import undrawn
from users.tests.factories import make_admin, make_superuser, make_user

if TYPE_CHECKING:
    from users.models import User

DESK: Final = {"width": 1280, "height": 900}
PHONE: Final = {"width": 390, "height": 844}
FOCUSED: Final = """() => {
    const e = document.activeElement
    return [e.id, e.getAttribute("aria-label"), e.textContent.trim(), e.getAttribute("href")].join("|")
}"""
# The field of the search has its outline around the box that it stands in.
SEEN: Final = """() => {
    let e = document.activeElement
    const places = [e, e.parentElement, e.parentElement.parentElement]
    return places.map(e => getComputedStyle(e)).some(style => style.outlineStyle !== "none")
}"""


@tag("browser")
class DeskTests(BrowserTestCase):
    def sit_down(self, person: User, size: dict[str, int] = DESK) -> Any:
        """Open the site as somebody who has signed in."""
        self.tab.set_viewport_size(size)
        self.come_in_as(person)
        self.open("/admin/")
        return self.tab

    def tab_to(self, tab: Any, words: str, *, most: int = 80) -> None:
        """Press Tab until what has the focus is called so; what has it must be seen to have it."""
        met = []
        for _ in range(most):
            tab.keyboard.press("Tab")
            met.append(tab.evaluate(FOCUSED))
            if words in met[-1]:
                self.assertTrue(tab.evaluate(SEEN), f"nobody sees that it has the focus: {met[-1]}")
                return
        self.fail(f"{words} was not met in {met}")

    def test_a_person_is_found_and_changed_with_the_keyboard_alone(self) -> None:
        person = make_user(email="zoe@example.org", first_name="Zoë")
        make_user(email="other@example.org")
        tab = self.sit_down(make_superuser())

        self.tab_to(tab, "/admin/users/user/")
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/admin/users/user/")
        self.tab_to(tab, "searchbar|")
        tab.keyboard.type("zoe@")
        tab.keyboard.press("Enter")
        tab.wait_for_url("**q=zoe*")
        self.tab_to(tab, f"/admin/users/user/{person.pk}/change/")
        tab.keyboard.press("Enter")
        tab.wait_for_url(f"**/admin/users/user/{person.pk}/change/**")
        self.tab_to(tab, "id_first_name")
        tab.keyboard.type("Zora")
        self.tab_to(tab, "|Save|")
        tab.keyboard.press("Enter")
        tab.get_by_text("was changed successfully").wait_for()

        person.refresh_from_db()
        self.assertEqual(person.first_name, "Zora")

    def test_filters_open_and_close_with_the_keyboard_on_a_phone(self) -> None:
        make_user(email="m@example.org", role=Role.MENTOR)
        tab = self.sit_down(make_superuser(), PHONE)
        self.open("/admin/users/user/")

        self.tab_to(tab, "Filters")
        tab.keyboard.press("Enter")
        tab.locator("#changelist-filter").wait_for()

        self.assertEqual(violations(tab), [])
        self.assertEqual(tab.evaluate("document.documentElement.scrollWidth"), PHONE["width"])

    def test_to_each_role_what_opens_for_it(self) -> None:
        desk = make_user(email="desk@example.org", is_staff=True)
        desk.user_permissions.add(Permission.objects.get(codename="view_event"))
        boss, admin = make_superuser(), make_admin(is_staff=True)
        client = Client()
        for who, size in ((boss, DESK), (admin, PHONE), (desk, DESK), (desk, PHONE)):
            with self.subTest(who.email, size=size):
                tab = self.sit_down(who, size)
                client.force_login(who)

                paths = tab.locator("a[href^='/admin/']").evaluate_all(
                    "found => [...new Set(found.map(e => e.getAttribute('href')))]"
                )
                for path in paths:
                    if "logout" not in path:
                        with undrawn():
                            self.assertEqual(client.get(path).status_code, 200, path)
                self.assertEqual("/admin/users/user/" in paths, who != desk)
                self.assertIn("/admin/events/event/", paths)
                self.assertEqual(violations(tab), [])
