"""Whatever stands in an address or a form of the admin site, no page answers with an error of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import ForeignKey
from django.test import RequestFactory, TestCase, tag
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from btf_backend.tests.test_admin_site import MAKERS, page
from core.admin.house import column_of, is_filter
from groups.models import Group
from groups.tests.factories import make_group
from users.models import StudentSupervisor, User
from users.tests.factories import make_superuser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model
    from django.http import HttpRequest

NUL: Final = "\0"
BEYOND: Final = "9" * 40  # what no column and no calendar holds
VALUES: Final = ("abc", BEYOND)
COMPARISONS: Final = (("range", "1"), ("year", "0"), ("in", f"1,2,{BEYOND}"), ("exact", BEYOND))
SERVER_ERROR: Final = 500
MORE_ROWS: Final = ("milestones", "past_members")


def names_of(patterns: list[URLPattern | URLResolver]) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each page of the site, with the names of what stands in its address."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names_of(pattern.url_patterns)
        elif pattern.name:
            yield pattern.name, list(pattern.pattern.regex.groupindex or pattern.pattern.converters)


@tag("walk")
class NonsenseTests(TestCase):
    def setUp(self) -> None:
        self.boss = make_superuser()
        self.client.force_login(self.boss)
        self.client.raise_request_exception = False

    def request(self) -> HttpRequest:
        request = RequestFactory().get("/")
        request.user = User.objects.get(pk=self.boss.pk)
        return request

    def ask(self, address: str, **query: str) -> Any:
        answer: Any = self.client.get(f"{address}?{urlencode(query)}")
        with self.subTest(address=address, query=query):
            self.assertLess(answer.status_code, SERVER_ERROR, answer.exc_info)
        return answer

    def send(self, address: str, **sent: Any) -> Any:
        answer: Any = self.client.post(address, sent)
        with self.subTest(address=address, sent=sent):
            self.assertLess(answer.status_code, SERVER_ERROR, answer.exc_info)
        return answer

    def narrowing(self, model: type[Model]) -> list[str]:
        """Return the words by which a list's address narrows it."""
        desk = admin.site.get_model_admin(model)
        filters: Any = desk.list_filter
        names = [
            str(each.parameter_name) if is_filter(each) else f"{column_of(each)}__exact" for each in filters
        ]
        parts = ("year", "month", "day") if desk.date_hierarchy else ()
        return [*names, "q", "p", "pk__in", *(f"{desk.date_hierarchy}__{part}" for part in parts)]

    def test_lists_are_narrowed_by_anything(self) -> None:
        for model, make in MAKERS.items():
            make(0)
            address = page(model, "changelist")
            for name in self.narrowing(model):
                for value in VALUES:
                    self.ask(address, **{name: value})
            with self.subTest(address):
                self.assertEqual(self.ask(address, zzz=NUL, e="1").status_code, 400)

    def test_lists_are_narrowed_by_comparisons_that_miss_something(self) -> None:
        for model, make in MAKERS.items():
            make(0)
            filters: Any = admin.site.get_model_admin(model).list_filter
            columns = {"id", "pk", *(column_of(each) for each in filters if not is_filter(each))}
            for column in sorted(columns):
                for lookup, value in COMPARISONS:
                    self.ask(page(model, "changelist"), **{f"{column}__{lookup}": value})

    def test_a_row_that_is_chosen_by_searching_may_be_anything(self) -> None:
        group = make_group(id="TEAM")
        of_members = {"members-TOTAL_FORMS": "1", "members-INITIAL_FORMS": "0", "members-0-role": "student"}
        others = {f"{name}-{count}_FORMS": "0" for name in MORE_ROWS for count in ("TOTAL", "INITIAL")}
        for value in ("abc", BEYOND, "-1"):
            body = {"name": "Biofilm", "mentor": value, "members-0-user": value, **of_members, **others}
            answer = self.send(page(Group, "change", group.pk), **body)
            self.assertContains(answer, "Select a valid choice", 2)
            self.send(page(User, "change", self.boss.pk), groups=[value], email="ada@example.org")
            self.send(page(StudentSupervisor, "add"), student=value, supervisor=value)

    def test_chosen_rows_may_be_anything(self) -> None:
        for model in MAKERS:
            desk = admin.site.get_model_admin(model)
            for action in desk.get_actions(self.request()):
                for ids in VALUES:
                    sent = {"action": action, ACTION_CHECKBOX_NAME: ids}
                    self.send(page(model, "changelist"), **sent, index="0")
                self.send(page(model, "changelist"), **sent, post="yes", group=NUL)

    def test_suggestions_are_asked_for_with_anything(self) -> None:
        fields = [
            field
            for model in MAKERS
            for field in model._meta.get_fields()
            if isinstance(field, ForeignKey) and field.related_model in MAKERS
        ]
        self.assertGreater(len(fields), 10)
        for field in fields:
            of = field.model._meta
            named = {"app_label": of.app_label, "model_name": str(of.model_name), "field_name": field.name}
            for term in (NUL, BEYOND, "'"):
                self.ask(reverse("admin:autocomplete"), **named, term=term)
        self.ask(reverse("admin:autocomplete"), app_label=NUL, model_name=BEYOND, field_name="x")

    def test_every_address_takes_any_id_query_and_form(self) -> None:
        seen = set()
        for name, parts in names_of(list(get_resolver("btf_backend.urls").url_patterns)):
            for value in VALUES[: 2 if parts else 1]:
                try:
                    address = reverse(f"admin:{name}", args=[value for _ in parts])
                except NoReverseMatch:
                    continue  # of another part of the product, or no such address
                seen.add(name)
                self.ask(address, q=BEYOND, next="//x\n", page=BEYOND, s=BEYOND)
            if name in seen and name != "logout":
                self.send(address, post="yes", x="abc", format=BEYOND, resource=BEYOND)
        self.assertLessEqual({"index", "search", "users_user_export", "chat_message_change"}, seen)


class SheetNonsenseTests(TestCase):
    """What the forms of import and export are sent."""

    def setUp(self) -> None:
        self.client.force_login(make_superuser())

    def sent(self, name: str, **fields: Any) -> Any:
        return self.client.post(reverse(f"admin:events_event_{name}"), fields, follow=True)

    def test_a_confirmation_that_no_preview_has_sent_is_over(self) -> None:
        good = {"import_file_name": f"1:{'a' * 32}", "original_file_name": "a.csv", "format": "0"}
        for wrong in (
            *({"format": value} for value in ("9", "x", "-1", "")),
            *({"resource": value} for value in ("9", "x", "-1")),
            *({"import_file_name": value} for value in ("a" * 5_000, "a b", "a\nb", "../x", "", "1:é")),
            {},
        ):
            with self.subTest(wrong):
                self.assertContains(self.sent("process_import", **{**good, **wrong}), "The preview is over")

    def test_an_export_takes_no_rows_and_formats_that_there_are_not(self) -> None:
        for wrong in ({"export_items": "x"}, {"export_items": "1"}, {"format": "9"}, {"resource": "9"}):
            with self.subTest(wrong):
                answer = self.sent("export", **{"format": "0", "resource": "0", **wrong})
                self.assertEqual(set(answer.context["form"].errors), set(wrong))

    def test_an_export_of_what_no_list_shows_leads_to_the_list(self) -> None:
        address = reverse("admin:events_event_export")
        for query in ("date__year=99999999", f"date__year={BEYOND}", "type__exact=x&date__month=x"):
            with self.subTest(query):
                answer = self.client.get(f"{address}?{query}", follow=True)
                self.assertRedirects(answer, reverse("admin:events_event_changelist"))
                self.assertContains(answer, "The list cannot be narrowed so")
