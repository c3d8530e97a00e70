"""The admin site of the programme: django-unfold's, with our colours, our dashboard and our door."""

from __future__ import annotations

from functools import partial, wraps
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.template.response import SimpleTemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import cache_control

from btf_backend.console.nul import without_nul
from btf_backend.console.search import answer_search
from btf_backend.console.theme import theme_css
from core.moments import zone_of
from users.access import may_use_site

if TYPE_CHECKING:
    from collections.abc import Callable

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

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's
        """Let in who may, and show and read every time by the programme's clock."""
        return by_programme_clock(super().admin_view(without_nul(view), cacheable))

    def has_permission(self, request: HttpRequest) -> bool:
        """Ask what the door asks, at every page."""
        return bool(request.user.is_authenticated) and may_use_site(cast("User", request.user))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show our own page: an address, to which link and code are mailed."""
        from authentication.console.views import AskView  # noqa: PLC0415 - as above

        return AskView.as_view()(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Open to whoever has a password, after a fresh proof: what is typed here is a proof afterwards."""
        from core.admin.proof import with_fresh_proof  # noqa: PLC0415 - as above

        if not cast("User", request.user).has_usable_password():
            raise PermissionDenied
        return with_fresh_proof(super().password_change)(request, extra_context)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Name the programme; leave the colours to the style sheet, since no page has styles in itself."""
        name = settings.PROGRAMME_NAME
        return {**super().each_context(request), "site_title": name, "site_header": name, "colors": None}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """List what somebody may open, once a page shows it: few do, and it asks each model's rights."""
        return SimpleLazyObject(partial(super().get_app_list, request, app_label))

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


def by_programme_clock(view: Callable[..., Any]) -> Callable[..., Any]:
    """Make PROGRAMME_TIME_ZONE the current zone of a view and of its page, and of nothing after it."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with timezone.override(zone_of("")):
            response = view(request, *args, **kwargs)
            # Django would fill the page in when the zone is another one again.
            return response.render() if isinstance(response, SimpleTemplateResponse) else response

    return inner


@cache_control(public=True, max_age=THEME_SECONDS)
def cached_css(request: HttpRequest) -> HttpResponse:
    return HttpResponse(theme_css(), content_type="text/css; charset=utf-8")
