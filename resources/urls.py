"""Routes below ``/api/resources/``."""

from rest_framework.routers import SimpleRouter

from resources.views import ResourceViewSet

app_name = "resources"
router = SimpleRouter(use_regex_path=False)
router.register("resources", ResourceViewSet, "resource")
urlpatterns = router.urls
