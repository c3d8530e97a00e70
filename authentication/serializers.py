"""Bodies of sign-in, and what it answers."""

from __future__ import annotations

from rest_framework import serializers

from authentication.models import SignInSession
from core.serializers import StrictCharField, WireModelSerializer
from users.serializers.people import AddressField, UserSerializer


class MagicLinkSerializer(serializers.Serializer[dict[str, str]]):
    """Whom to mail."""

    email = AddressField(max_length=320)


class CodeSerializer(serializers.Serializer[dict[str, str]]):
    """Whose code, and the code. A number is taken as its digits."""

    email = AddressField(max_length=320)
    code = serializers.CharField(max_length=20)


class LinkTokenSerializer(serializers.Serializer[dict[str, str]]):
    """The token of a mailed link."""

    token = StrictCharField(max_length=200)


class RefreshSerializer(serializers.Serializer[dict[str, str]]):
    """A refresh token."""

    refresh_token = StrictCharField(max_length=4_096)


class LogoutSerializer(serializers.Serializer[dict[str, str]]):
    """A refresh token, or any other text."""

    refresh_token = StrictCharField(max_length=100_000, allow_blank=True)


class SentSerializer(serializers.Serializer[dict[str, object]]):
    """The same for every address."""

    success = serializers.BooleanField()
    message = serializers.CharField()


class TokenPairSerializer(serializers.Serializer[dict[str, str]]):
    """An access token (one hour) and the refresh token that follows the one sent (seven days)."""

    token = serializers.CharField()
    refresh_token = serializers.CharField()


class SignedInSerializer(TokenPairSerializer):
    """A pair, and whose it is."""

    user = UserSerializer()


class TicketSerializer(serializers.Serializer[dict[str, object]]):
    """A ticket for one socket, and for how many seconds it is good."""

    ticket = serializers.CharField()
    expiresIn = serializers.IntegerField()  # noqa: N815


class SessionSerializer(WireModelSerializer[SignInSession]):
    """One of the caller's sessions. ``current``: the one that sent this request."""

    current = serializers.SerializerMethodField()

    class Meta:
        model = SignInSession
        fields = ["id", "device", "createdAt", "lastSeenAt", "expiresAt", "current"]

    def get_current(self, session: SignInSession) -> bool:
        current = self.context["request"].auth
        return isinstance(current, SignInSession) and current.pk == session.pk
