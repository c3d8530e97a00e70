"""Routes below ``/api/auth/``."""

from django.urls import path

from authentication.views import (
    LogoutView,
    MagicLinkView,
    RefreshView,
    SessionsView,
    SessionView,
    VerifyCodeView,
    VerifyLinkView,
)

app_name = "authentication"
urlpatterns = [
    path("magic-link/", MagicLinkView.as_view(), name="request-magic-link"),
    path("verify-otp/", VerifyCodeView.as_view(), name="verify-otp"),
    path("verify/", VerifyLinkView.as_view(), name="verify-magic-link"),
    path("refresh/", RefreshView.as_view(), name="refresh-token"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("sessions/", SessionsView.as_view(), name="sessions"),
    path("sessions/<id:pk>/", SessionView.as_view(), name="session"),
]
