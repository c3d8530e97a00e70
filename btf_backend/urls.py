"""Every public prefix on one screen."""

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.utils import extend_schema, extend_schema_view
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from authentication.bridge import BridgeView
from core.views import unknown_path, welcome

admin.site.site_header = admin.site.site_title = settings.PROGRAMME_NAME
SchemaView = extend_schema_view(get=extend_schema(exclude=True))(SpectacularAPIView)

urlpatterns = [
    path("api/", include("core.urls")),
    path("api/auth/", include("authentication.urls")),
    path("api/users/", include("users.urls")),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path(
        "api/redoc/",
        SpectacularRedocView.as_view(url_name="schema", template_name="redoc.html"),
        name="redoc",
    ),
    re_path(r"^api/", unknown_path, name="unknown-path"),
    path("auth/verify", BridgeView.as_view(), name="bridge"),
    path("admin/", admin.site.urls),
]
if settings.DEBUG:
    urlpatterns += [path("", welcome), *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT)]
