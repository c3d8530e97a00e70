"""Whom to look at, as filters of the lists of people and of imports."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin

from core.admin.filters import NeedsFilter
from core.admin.library import ModelAdmin
from users.models.attention import with_check_ending, with_check_expired, without_permission

if TYPE_CHECKING:
    from datetime import date

    from django.http import HttpRequest

    from users.models import User
    from users.models.imports import PeopleImportQuerySet


class PeopleNeedFilter(NeedsFilter):
    """People with whom something has to be done. A check that ends in a week ends in a month as well."""

    OF_CHECKS: ClassVar = frozenset({"wwcc_expired", "wwcc_7", "wwcc_30", "wwcc_90"})
    rules: ClassVar = {
        "permission": ("Permission to join is missing", without_permission),
        "wwcc_expired": ("WWCC has expired", with_check_expired),
        "wwcc_7": ("WWCC expires within 7 days", partial(with_check_ending, within_days=7)),
        "wwcc_30": ("WWCC expires within 30 days", partial(with_check_ending, within_days=30)),
        "wwcc_90": ("WWCC expires within 90 days", partial(with_check_ending, within_days=90)),
    }


class TellsOfChecks(ModelAdmin):
    """A list of people that says, where it is narrowed by their checks, until when each is good."""

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)
        return [*shown, "check_ends"] if is_about_checks(request) else shown

    def get_list_select_related(self, request: HttpRequest) -> Any:
        joined: Any = super().get_list_select_related(request)
        return [*joined, "supervisor_profile"] if is_about_checks(request) else joined

    def get_ordering(self, request: HttpRequest) -> Any:
        """What runs out first, first."""
        ordering = super().get_ordering(request)
        return ["supervisor_profile__wwcc_expiry", *ordering] if is_about_checks(request) else ordering

    @admin.display(description="WWCC expiry", ordering="supervisor_profile__wwcc_expiry")
    def check_ends(self, person: User) -> date | None:
        return person.supervisor_profile.wwcc_expiry


def is_about_checks(request: HttpRequest) -> bool:
    return request.GET.get("needs", "") in PeopleNeedFilter.OF_CHECKS


def with_rejected_rows(imports: PeopleImportQuerySet) -> PeopleImportQuerySet:
    return imports.with_rejected_rows()


class ImportsNeedFilter(NeedsFilter):
    """Spreadsheets of which something was left out."""

    rules: ClassVar = {"rejected": ("With rows that could not be taken", with_rejected_rows)}
