"""The admin site of the programme: django-unfold's, with our colours, our dashboard and our door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.cache import cache_control

from btf_backend.console.search import answer_search
from btf_backend.console.theme import theme_css
from users.access import may_use_site

if TYPE_CHECKING:
    from django.contrib.admin.sites import AdminSite
    from django.http import HttpRequest
    from django.urls import URLPattern, URLResolver

    from users.models import User
else:
    from unfold.sites import UnfoldAdminSite as AdminSite

THEME_SECONDS = 300  # of a browser's copy: a changed setting shows within minutes


class HubAdminSite(AdminSite):
    """One site for every desk; what somebody may see there is said by the permissions of each page."""

    index_template = "console/dashboard.html"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from authentication.console.urls import door_urls  # noqa: PLC0415 - these modules need this site

        return [path("theme.css", self.theme, name="theme"), *door_urls, *super().get_urls()]

    def has_permission(self, request: HttpRequest) -> bool:
        """Ask what the door asks, at every page."""
        return bool(request.user.is_authenticated) and may_use_site(cast("User", request.user))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show our own page: an address, to which link and code are mailed."""
        from authentication.console.views import AskView  # noqa: PLC0415 - as above

        return AskView.as_view()(request)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Name the programme; leave the colours to the style sheet, since no page has styles in itself."""
        name = settings.PROGRAMME_NAME
        return {**super().each_context(request), "site_title": name, "site_header": name, "colors": None}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show what waits, and how the programme goes."""
        from btf_backend.console.dashboard import dashboard  # noqa: PLC0415 - as above

        return super().index(request, {**dashboard(request), **(extra_context or {})})

    def theme(self, request: HttpRequest) -> HttpResponse:
        """Answer with the programme's colours."""
        return cached_css(request)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Answer with our own: the library's reads every row that matches."""
        return answer_search(request)


@cache_control(public=True, max_age=THEME_SECONDS)
def cached_css(request: HttpRequest) -> HttpResponse:
    return HttpResponse(theme_css(), content_type="text/css; charset=utf-8")
