"""One application for HTTP and sockets, as the development server runs it."""

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from authentication.routing import websocket_urlpatterns  # noqa: E402 - needs the apps loaded
from authentication.websocket import OriginGate, TokenMiddleware  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": OriginGate(TokenMiddleware(URLRouter(websocket_urlpatterns))),
    }
)
