"""What no list of the admin site sends: it is answered in words, never by an error of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError

from core.admin.choosing import ChoosesByKey
from core.admin.library import ChangeList, ModelAdmin

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


class HouseList(ChangeList):
    """A list whose calendar ends with the years that there are."""

    def get_filters(self, request: HttpRequest) -> Any:
        """Read the address. Raises IncorrectLookupParameters, also for a day beyond all bounds."""
        try:
            return super().get_filters(request)
        except OverflowError as error:
            raise IncorrectLookupParameters from error

    def get_results(self, request: HttpRequest) -> None:
        """Read the rows. Raises IncorrectLookupParameters, also for ``__range=1`` and ``__year=0``."""
        try:
            super().get_results(request)
        except (OverflowError, IndexError, ValueError) as error:
            raise IncorrectLookupParameters from error


class MindsNonsense(ChoosesByKey, ModelAdmin):
    """A list whose address and whose chosen rows may be anything."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[HouseList]:
        return HouseList

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Do what was chosen; what is no id of a row is refused in a message."""
        try:
            for each in request.POST.getlist(ACTION_CHECKBOX_NAME):
                self.opts.pk.clean(each, None)
        except ValidationError:
            said = "What was chosen is no row of this list. Nothing was done."
            self.message_user(request, said, messages.ERROR)
            return None
        return super().response_action(request, queryset, *args, **kwargs)
