"""``/metrics``: for whoever shows the token of the operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from prometheus_client.exposition import choose_encoder

from core.watching.exposition import Exposition

if TYPE_CHECKING:
    from django.http import HttpRequest


@csrf_exempt
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer a scrape: 404 where METRICS_TOKEN is unset, 401 without that token as bearer."""
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(credential.strip(), settings.METRICS_TOKEN):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer", "Cache-Control": "no-store"})
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    page = encode(Exposition())
    return HttpResponse(page, content_type=content_type, headers={"Cache-Control": "no-store"})
