"""Calendar files, and the feed that calendar programs fetch."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import APIView

from core.conditional import Conditional, refused, shortened
from core.refusals import Missing
from events.models import CalendarFeed
from events.serializers.people import CalendarSerializer
from events.services.feeds import read_feed, renew_feed, revoke_feed

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request

    from core.http import SignedInRequest


class CalendarResponse(HttpResponse):
    """A calendar file, which its reader may keep and ask about again."""

    @classmethod
    def to(cls, request: HttpRequest | Request, text: bytes, *, filename: str) -> HttpResponse:
        """Answer the calendar; by its ETag 304 to whoever has this very one, 412 to whoever wants another."""
        etag = f'"{sha256(text).hexdigest()[:32]}"'
        response = cls(text, content_type="text/calendar; charset=utf-8")
        response.headers["Content-Disposition"] = f'inline; filename="{filename}"'
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["ETag"] = etag
        plain: HttpRequest = getattr(request, "_request", request)
        return refused(plain, etag) or shortened(plain, response, etag)


@method_decorator(csrf_exempt, name="dispatch")  # nothing is written: what is no GET is 405
class FeedView(View):
    """``/calendar/{token}.ics``: whoever holds the address reads it; calendar programs cannot sign in."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Answer the person's events and the due dates of their groups' tasks; else 404."""
        try:
            text = read_feed(token)
        except Missing as missing:
            raise Http404 from missing
        response = CalendarResponse.to(request, text, filename="calendar.ics")
        response.headers["X-Robots-Tag"] = "noindex"
        return response


@extend_schema(tags=["My account"])
class MyCalendarView(Conditional, APIView):
    """The feed that one's own calendar program fetches."""

    def current(self) -> Any:
        return self.get(self.request).data

    def answer(self, feed: CalendarFeed | None, code: int) -> Response:
        token = feed.token if feed else None
        path = reverse("calendar-feed", args=[token]) if token else None
        url = self.request.build_absolute_uri(path) if path else None
        body = {"url": url, "createdAt": feed.created_at if feed else None}
        return Response(CalendarSerializer(body).data, code)

    @extend_schema(summary="Read the address of one's calendar feed", responses=CalendarSerializer)
    def get(self, request: SignedInRequest) -> Response:
        """Return the feed's address: the events one is registered for, and what is due in one's groups."""
        return self.answer(CalendarFeed.objects.filter(user=request.user).first(), status.HTTP_200_OK)

    @extend_schema(
        summary="Make a new address for one's calendar feed",
        request=None,
        responses={201: CalendarSerializer},
    )
    def post(self, request: SignedInRequest) -> Response:
        """Make an address that nobody can guess; the former one stops at once."""
        return self.answer(renew_feed(by=request.user), status.HTTP_201_CREATED)

    @extend_schema(
        summary="Revoke one's calendar feed",
        responses={204: OpenApiResponse(description="It stops at once.")},
    )
    def delete(self, request: SignedInRequest) -> Response:
        """Stop the feed: its address is 404 from now on."""
        revoke_feed(by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
