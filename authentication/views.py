"""Sign-in over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView, ListAPIView, get_object_or_404
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from authentication import sessions
from authentication.challenges import account_key
from authentication.devices import browser_of, remember
from authentication.models import SignInSession
from authentication.requests import bearer_of
from authentication.serializers import (
    CodeSerializer,
    LinkTokenSerializer,
    LogoutSerializer,
    MagicLinkSerializer,
    RefreshSerializer,
    SentSerializer,
    SessionSerializer,
    SignedInSerializer,
    TicketSerializer,
    TokenPairSerializer,
)
from authentication.services import redeem_code, redeem_link, request_sign_in
from authentication.throttling import LinksPerSource, VerificationsPerSource
from authentication.tickets import TICKET_SECONDS, issue_ticket
from core.http import client_source
from users.services.documents import document_of

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from authentication.tokens import Pair
    from core.http import SignedInRequest
    from users.models import User

REFUSED = OpenApiResponse(description="Missing, unknown, used or run out.")
ENDED = OpenApiResponse(description="Not valid any more: sign in again.")
THROTTLED = OpenApiResponse(description="Too many; `Retry-After` says for how many seconds.")
UNAVAILABLE = OpenApiResponse(description="Something that we depend on does not answer.")
NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def validated(serializer_class: type[Any], data: Any) -> dict[str, Any]:
    """Return the validated body, or raise ValidationError (400)."""
    body = serializer_class(data=data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def signed_in(request: Request, user: User, pair: Pair) -> Response:
    """Answer a sign-in, and let the browser keep that this account is known here."""
    body = {"token": pair.access, "refresh_token": pair.refresh, "user": document_of(user)}
    response = Response(body, headers=NO_STORE)
    remember(response, browser_of(request._request), account_key(user.email.lower()))  # noqa: SLF001
    return response


def user_agent(request: Request) -> str:
    return str(request.headers.get("User-Agent", ""))


@extend_schema(tags=["Sign-in"], auth=[])
class PublicSignInView(APIView):
    """Needs no account and reads no token."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes: list[Any] = []


class MagicLinkView(PublicSignInView):
    """Ask for a link and a code."""

    throttle_classes = [LinksPerSource]

    @extend_schema(
        operation_id="request_magic_link",
        summary="Ask for a link and a code by mail",
        request=MagicLinkSerializer,
        responses={200: SentSerializer, 429: THROTTLED},
    )
    def post(self, request: Request) -> Response:
        """Mail a link and a six-digit code, both good for ten minutes; what was sent before is dead.

        Answers the same whether the address is known or not. At most one mail in 30 seconds and
        five in 15 minutes go to one address.
        """
        request_sign_in(validated(MagicLinkSerializer, request.data)["email"])
        return Response({"success": True, "message": "If this address can sign in, a mail is on its way."})


class VerifyCodeView(PublicSignInView):
    """Sign in by the code."""

    throttle_classes = [VerificationsPerSource]

    @extend_schema(
        operation_id="verify_code",
        summary="Sign in by the mailed code",
        request=CodeSerializer,
        responses={200: SignedInSerializer, 429: THROTTLED},
    )
    def post(self, request: Request) -> Response:
        """Trade the code for a token pair, once. Five wrong guesses void it; the link stays good."""
        body = validated(CodeSerializer, request.data)
        browser = browser_of(request._request)  # noqa: SLF001
        user, pair = redeem_code(
            body["email"],
            body["code"],
            source=client_source(request),
            browser=browser,
            user_agent=user_agent(request),
        )
        return signed_in(request, user, pair)


class VerifyLinkView(PublicSignInView):
    """Sign in by the link's token."""

    throttle_classes = [VerificationsPerSource]
    http_method_names = ["get", "post", "options"]

    @extend_schema(
        operation_id="verify_link",
        summary="Sign in by the token of the mailed link",
        parameters=[OpenApiParameter("token", str, required=True, description="The link's token.")],
        responses={200: SignedInSerializer, 400: REFUSED, 429: THROTTLED, 503: UNAVAILABLE},
    )
    def get(self, request: Request) -> Response:
        """Trade the token for a pair, once. Prefer POST: it keeps the token out of URLs."""
        return self.redeem(request, request.query_params)

    @extend_schema(
        operation_id="verify_link_by_post",
        summary="Sign in by the token of the mailed link (POST)",
        request=LinkTokenSerializer,
        responses={200: SignedInSerializer, 429: THROTTLED},
    )
    def post(self, request: Request) -> Response:
        """Trade the token for a pair, once."""
        return self.redeem(request, request.data)

    def redeem(self, request: Request, data: Any) -> Response:
        token = validated(LinkTokenSerializer, data)["token"]
        user, pair = redeem_link(token, user_agent=user_agent(request))
        return signed_in(request, user, pair)


class RefreshView(PublicSignInView):
    """A new pair for a refresh token."""

    @extend_schema(
        operation_id="refresh_token",
        summary="Trade a refresh token for a new pair",
        request=RefreshSerializer,
        responses={
            200: TokenPairSerializer,
            401: ENDED,
        },
    )
    def post(self, request: Request) -> Response:
        """Rotate. For 60 seconds a used token yields the same successor; later it ends the session."""
        pair = sessions.refresh_session(validated(RefreshSerializer, request.data)["refresh_token"])
        return Response({"token": pair.access, "refresh_token": pair.refresh}, headers=NO_STORE)


class LogoutView(PublicSignInView):
    """End the session of a refresh token."""

    @extend_schema(operation_id="log_out", summary="Log out", request=LogoutSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """End the session of the refresh token. Any text answers 204; no access token is needed."""
        sessions.log_out(validated(LogoutSerializer, request.data)["refresh_token"])
        return Response(status=204)


@extend_schema(tags=["Sign-in"])
class TicketView(APIView):
    """What opens a socket without an access token in its address."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="socket_ticket",
        summary="Get a ticket for a socket",
        request=None,
        responses={201: TicketSerializer},
    )
    def post(self, request: SignedInRequest) -> Response:
        """Open one socket with `?ticket=`, within 30 seconds and from the same browser (`User-Agent`).

        The socket ends when the access token does that was sent here.
        """
        access = (bearer_of(request) or b"").decode("ascii")
        ticket = issue_ticket(access, user_agent=user_agent(request))
        return Response({"ticket": ticket, "expiresIn": TICKET_SECONDS}, 201, headers=NO_STORE)


class MySessions(GenericAPIView[SignInSession]):
    """The caller's live sessions; others do not exist here."""

    request: SignedInRequest
    permission_classes = [IsAuthenticated]
    serializer_class = SessionSerializer
    queryset = SignInSession.objects.none()

    def get_queryset(self) -> QuerySet[SignInSession]:
        return SignInSession.objects.live().filter(user=self.request.user)


@extend_schema(tags=["Sign-in"])
class SessionsView(MySessions, ListAPIView[SignInSession]):
    """Where the caller is signed in."""

    @extend_schema(operation_id="sessions_list", summary="My sessions")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the live sessions, the one used last first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="sessions_end_all", summary="Sign out everywhere", responses={204: None})
    def delete(self, request: SignedInRequest) -> Response:
        """End every session of the caller, this one too."""
        sessions.sign_out_everywhere(request.user)
        return Response(status=204)


@extend_schema(tags=["Sign-in"])
class SessionView(MySessions):
    """One of the caller's sessions."""

    @extend_schema(operation_id="sessions_end", summary="End one of my sessions", responses={204: None})
    def delete(self, request: SignedInRequest, pk: int) -> Response:
        """End one session; its tokens and sockets die with it."""
        session = get_object_or_404(self.get_queryset(), pk=pk)
        sessions.end_session(session, reason="signed_out", by=request.user)
        return Response(status=204)
