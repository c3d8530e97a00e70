"""One application for HTTP and sockets, as the development server runs it."""

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import re_path

django_application = get_asgi_application()

from authentication import routing as authentication  # noqa: E402 - needs the apps loaded
from authentication.handshakes import OriginGate, SourceGate, TokenMiddleware, unknown_path  # noqa: E402
from chat import routing as chat  # noqa: E402

websocket_urlpatterns = [
    *authentication.websocket_urlpatterns,
    *chat.websocket_urlpatterns,
    re_path(r"", unknown_path),  # type: ignore[arg-type]  # Channels calls it, as ASGI
]

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": OriginGate(SourceGate(TokenMiddleware(URLRouter(websocket_urlpatterns)))),
    }
)
