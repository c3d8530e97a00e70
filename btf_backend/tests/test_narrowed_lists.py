"""No list of the admin site can be asked, by its address, for what it does not show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.core.cache import cache
from django.test import TestCase, tag
from django.urls import reverse

from core.admin import Narrowed
from core.admin.house import column_of, is_filter
from users.tests.factories import make_superuser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Field, Model

    from users.models import User

# As a value, and letter by letter.
WAYS: Final = ("", "__startswith")
INSIDE: Final = ("kwargs__sealed__startswith", "0__gte", "a__icontains")  # of JSON


def list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def columns(model: type[Model]) -> list[Field[Any, Any]]:
    return list(model._meta.concrete_fields)


@tag("walk")
class NarrowedListTests(TestCase):
    boss: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.boss = make_superuser()

    def setUp(self) -> None:
        cache.clear()
        self.client.force_login(self.boss)

    def pages(self) -> Iterator[tuple[type[Model], Narrowed]]:
        """Every page; each knows its own columns alone."""
        for model, page in admin.site._registry.items():
            assert isinstance(page, Narrowed), model
            yield model, page

    def shown(self, page: admin.ModelAdmin[Any]) -> set[str]:
        """Return the columns that a list, or the page of one of its rows, has for everybody to read."""
        request = self.client.get(reverse("admin:index")).wsgi_request
        fields = flatten_fieldsets(page.get_fieldsets(request, page.model()))
        names = {page.model._meta.pk.name, *page.list_display, *fields}
        return {str(name).removesuffix("_id") for name in names}

    def lookups(self, page: Narrowed) -> Iterator[str]:
        """Every column that has no control on the page, and every one over a relation, whichever it is."""
        controls = page.narrowed_by | {page.date_hierarchy, *map(column_of, page.list_filter)}
        own = {each.parameter_name for each in page.list_filter if is_filter(each)}
        for field in columns(page.model):
            if field.name not in controls:
                yield from (f"{field.name}{way}" for way in WAYS if f"{field.name}{way}" not in own)
            if field.get_internal_type() == "JSONField":
                yield from (f"{field.name}__{path}" for path in INSIDE)
            if field.related_model:
                others = columns(field.related_model)
                yield from (f"{field.name}__{other.name}__regex" for other in others if not other.primary_key)

    def test_columns_that_a_page_names_are_shown_there(self) -> None:
        for model, page in self.pages():
            with self.subTest(model=model._meta.label):
                named = {name.removesuffix("_id") for name in page.narrowed_by}
                self.assertLessEqual(named, self.shown(page))

    def test_no_lookup_narrows_a_list_by_what_it_does_not_show(self) -> None:
        tried = 0
        for model, page in self.pages():
            for lookup in self.lookups(page):
                with self.subTest(model=model._meta.label, lookup=lookup):
                    self.assertEqual(self.client.get(list_of(model), {lookup: "1"}).status_code, 400)
                tried += 1
        self.assertGreater(tried, 400)

    def test_backward_relations_are_no_way_round(self) -> None:
        for model in admin.site._registry:
            for relation in model._meta.related_objects:
                lookup = f"{relation.name}__{relation.field.model._meta.pk.name}__gte"
                with self.subTest(model=model._meta.label, lookup=lookup):
                    self.assertEqual(self.client.get(list_of(model), {lookup: "1"}).status_code, 400)

    def test_filters_calendars_and_named_columns_narrow_as_before(self) -> None:
        for model, page in admin.site._registry.items():
            names = [each[0] if isinstance(each, tuple) else each for each in page.list_filter]
            queries = [{f"{name}__isnull": "False"} for name in names if isinstance(name, str)]
            queries += [{f"{page.date_hierarchy}__year": "2026"}] if page.date_hierarchy else []
            for query in queries:
                with self.subTest(model=model._meta.label, query=query):
                    self.assertEqual(self.client.get(list_of(model), query).status_code, 200)
