"""Routes below ``/api/users/``, and those about people below ``/api/admin/``."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from users.views.archive import MyArchiveView
from users.views.imports import ImportsViewSet
from users.views.links import LinksViewSet
from users.views.me import MeView, MySupervisorsView, MySupervisorView
from users.views.people import PeopleViewSet

app_name = "users"
urlpatterns = [
    path("me/", MeView.as_view(), name="me"),
    path("me/export/", MyArchiveView.as_view(), name="me-export"),
    path("me/supervisors/", MySupervisorsView.as_view(), name="me-supervisors"),
    path("me/supervisors/<id:pk>/", MySupervisorView.as_view(), name="me-supervisor-detail"),
]

admin_router = SimpleRouter(use_regex_path=False)
admin_router.register("users/import", ImportsViewSet, "user-import")
admin_router.register("users", PeopleViewSet, "user")
admin_router.register("student-supervisors", LinksViewSet, "student-supervisors")
admin_urlpatterns = admin_router.urls
