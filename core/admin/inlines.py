"""Rows beside a row of the admin site, page by page: a page of one row never shows all that belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.forms.models import BaseInlineFormSet

from core.admin.choosing import ChoosesByKey
from core.admin.library import TabularInline

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

PER_PAGE: Final = 50


class PagedFormSet(BaseInlineFormSet):
    """One page of rows; which one, ``?<prefix>-page=`` says, and any nonsense there is a page that exists.

    What is sent is about the rows that were sent, on whatever page they are by now; others stay as they are.
    """

    def __init__(
        self, *args: Any, request: HttpRequest, per_page: int, queryset: QuerySet[Any], **kwargs: Any
    ) -> None:
        super().__init__(*args, **{**kwargs, "queryset": in_one_order(queryset)})
        rows: Any = self.queryset
        self.paginator = Paginator(rows, per_page)
        self.page = self.paginator.get_page(request.GET.get(self.get_pagination_key()))
        sent = self.sent() if self.is_bound else []
        # Rows that may only be looked at are not sent.
        self._queryset = rows.filter(pk__in=sent) if sent else self.page.object_list

    def get_pagination_key(self) -> str:
        """Return the name of the page's parameter, as the library's template asks for it."""
        return f"{self.prefix}-page"

    def sent(self) -> list[Any]:
        """Return the keys of the rows that a browser sends back."""
        model: Any = self.model
        pk, found = model._meta.pk, []  # noqa: SLF001 - documented API
        for n in range(min(self.initial_form_count(), self.absolute_max)):
            try:
                found.append(pk.clean(self.data.get(f"{self.add_prefix(n)}-{pk.name}"), None))
            except ValidationError:
                continue  # the form says so
        return found


def in_one_order(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return rows in an order in which no two are equal: each is on one page."""
    named = rows.query.order_by or rows.model._meta.ordering  # noqa: SLF001 - documented API
    return rows.order_by(*named, "pk")


class PagedInline(ChoosesByKey, TabularInline):
    """Rows as a table."""

    formset = PagedFormSet
    per_page = PER_PAGE
