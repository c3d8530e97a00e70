"""Routes of the platform, below ``/api/``, and of the audit log, below ``/api/admin/``."""

from django.urls import path

from core.audit_log.views import AuditLogView
from core.media.views import UploadsView
from core.views import HealthView, LiveView

app_name = "core"
urlpatterns = [
    path("health/", HealthView.as_view(), name="health_check"),
    path("health/live/", LiveView.as_view(), name="health_live"),
    path("uploads/", UploadsView.as_view(), name="upload_file"),
]

admin_urlpatterns = [path("audit/", AuditLogView.as_view(), name="audit-list")]
