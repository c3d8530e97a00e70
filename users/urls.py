"""Routes below ``/api/users/``."""

from django.urls import path

from users.views.me import MeView, MySupervisorsView, MySupervisorView

app_name = "users"
urlpatterns = [
    path("me/", MeView.as_view(), name="me"),
    path("me/supervisors/", MySupervisorsView.as_view(), name="me-supervisors"),
    path("me/supervisors/<id:pk>/", MySupervisorView.as_view(), name="me-supervisor-detail"),
]
