"""What must hold before the server starts. Each refusal says the variable and the way out."""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - Django's name
from django.http.request import validate_host

from core.mail_services import missing_of, service_in_use
from core.uploads.scanning import PLACEHOLDER, clamd_address, scan_arguments

STARTUP = "startup"
MINIMUM_SECRET_LENGTH = 50
GOOD_SECRET = re.compile(r"(?=.{20})[^:\s]+:\S+")


@register(STARTUP)
def secret_is_secret(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterator[CheckMessage]:
    """Refuse a missing, short or well-known key outside the embedded profile's own."""
    weak = len(settings.SECRET_KEY) < MINIMUM_SECRET_LENGTH or "insecure" in settings.SECRET_KEY
    if weak and (settings.PRODUCTION or not settings.SECRET_KEY):
        yield Error(
            f"SECRET_KEY must be set: at least {MINIMUM_SECRET_LENGTH} random characters.", id="btf.E001"
        )


@register(STARTUP)
def hosts_are_named(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterator[CheckMessage]:
    """Refuse a wildcard host in production: absolute URLs are built from it."""
    if settings.PRODUCTION and "*" in settings.CONFIGURED_HOSTS:
        yield Error("ALLOWED_HOSTS must name the hosts: * is refused while DEBUG is off.", id="btf.E002")


@register(STARTUP)
def origins_are_named(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterator[CheckMessage]:
    """Refuse credentials for every origin: any page could act for a signed-in person."""
    if settings.CORS_ALLOW_ALL_ORIGINS and settings.CORS_ALLOW_CREDENTIALS:
        yield Error(
            "CORS_ALLOW_ALL_ORIGINS with credentials is refused: list the origins in CORS_ALLOWED_ORIGINS.",
            id="btf.E003",
        )


@register(STARTUP)
def stores_are_shared(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterator[CheckMessage]:
    """Refuse stores that live in one process or on one laptop while DEBUG is off."""
    if not settings.PRODUCTION:
        return
    if settings.EMBEDDED or not settings.ON_POSTGRESQL:
        yield Error("SQLite is refused while DEBUG is off: set DB_NAME and DB_HOST.", id="btf.E004")
    if "locmem" in settings.CACHES["default"]["BACKEND"]:
        yield Error("A memory cache is refused while DEBUG is off: set REDIS_URL.", id="btf.E005")
    if "InMemory" in settings.CHANNEL_LAYERS["default"]["BACKEND"]:
        yield Error(
            "A memory channel layer is refused while DEBUG is off: set REDIS_URL or CHANNEL_REDIS_URL.",
            id="btf.E006",
        )


@register(STARTUP)
def s3_is_whole(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterator[CheckMessage]:
    """Refuse half a bucket: files would silently land on one machine's disk."""
    missing = [f"VULTR_{name}" for name, value in settings.VULTR.items() if not value]
    if missing and len(missing) < len(settings.VULTR):
        yield Error(
            f"S3 storage needs all four VULTR variables; missing: {', '.join(missing)}.", id="btf.E007"
        )


@register(STARTUP)
def bucket_is_private(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterator[CheckMessage]:
    """Refuse what would open every file to whoever knows its address in the bucket."""
    options = settings.STORAGES["default"].get("OPTIONS", {})
    if options.get("default_acl", "private") != "private":
        yield Error("VULTR_DEFAULT_ACL must be private: files leave by our links alone.", id="btf.E010")


@register(STARTUP)
def scanners_can_be_asked(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterator[CheckMessage]:
    """Refuse a scanner that would look at nothing, or that every upload would fail at."""
    if settings.FILE_UPLOAD_SCAN_COMMAND and not names_the_file(settings.FILE_UPLOAD_SCAN_COMMAND):
        yield Error(
            "FILE_UPLOAD_SCAN_COMMAND must be a command with {file} where the file's path goes.",
            id="btf.E008",
        )
    try:
        clamd_address(settings.CLAMD_SOCKET or "/")
    except ValueError:
        yield Error("CLAMD_SOCKET must be the path of a socket, or host:port.", id="btf.E009")


def names_the_file(template: str) -> bool:
    try:
        return any(PLACEHOLDER in word for word in scan_arguments(template, PLACEHOLDER)[1:])
    except ValueError:
        return False


@register(STARTUP)
def mail_service_can_answer(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterator[CheckMessage]:
    """Warn where a mail service could tell of bounces, and nobody would hear; refuse what would not work."""
    secret, service = settings.ANYMAIL.get("WEBHOOK_SECRET", ""), service_in_use()
    if secret and not GOOD_SECRET.fullmatch(secret):
        yield Error(
            "ANYMAIL_WEBHOOK_SECRET must be user:password, of 20 characters or more: who knows it can end "
            "anybody's mail.",
            id="btf.E011",
        )
    if service and not secret:
        yield Warning(
            "Bounces and complaints are not heard: set ANYMAIL_WEBHOOK_SECRET to user:password, and tell the "
            f"mail service the address /api/mail/webhooks/{service}/tracking/ with them.",
            id="btf.W001",
        )
    if service and secret and (missing := missing_of(service)):
        yield Error(f"The webhooks of the mail service cannot be believed: {missing}", id="btf.E012")


@register(STARTUP)
def mail_leads_here(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterator[CheckMessage]:
    """Warn where the links that unsubscribe lead to a host that this server does not answer for."""
    host = urlsplit(settings.PUBLIC_BASE_URL).hostname or ""
    if settings.PRODUCTION and not validate_host(host, settings.CONFIGURED_HOSTS):
        yield Warning(
            f"PUBLIC_BASE_URL leads to {host!r}, which is not in ALLOWED_HOSTS: nobody could unsubscribe. "
            "Set it to the origin at which /api/ is this server's.",
            id="btf.W002",
        )
