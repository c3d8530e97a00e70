"""Every setting, in the order in which a request meets it. Two profiles: docs/adr/0002."""

from datetime import timedelta
from pathlib import Path

from corsheaders.defaults import default_headers

from btf_backend import stores
from btf_backend.env import (
    env,
    env_bool,
    env_choice,
    env_colour,
    env_int,
    env_list,
    env_prefixed,
    env_rates,
    env_redis,
    env_zone,
    load_env_file,
)
from btf_backend.logs import LOG_LEVELS, logging_settings
from btf_backend.openapi import SPECTACULAR_SETTINGS  # noqa: F401 - a setting
from btf_backend.secret_key import secret_key
from btf_backend.unfold import TEMPLATE_TAGS, UNFOLD, UNFOLD_APPS  # noqa: F401 - a setting

BASE_DIR = Path(__file__).resolve().parent.parent
load_env_file(BASE_DIR / env("ENV_FILE", ".env"))

# --- Profile ----------------------------------------------------------------------------------
VULTR = {name: env(f"VULTR_{name}") for name in ("ACCESS_KEY", "SECRET_KEY", "BUCKET_NAME", "S3_ENDPOINT")}
ON_POSTGRESQL = bool(env("DB_NAME") or env("DB_HOST"))
ON_REDIS = bool(env("REDIS_URL"))
ON_S3 = all(VULTR.values())
EMBEDDED = not (ON_POSTGRESQL or ON_REDIS or any(VULTR.values()))
DEBUG = env_bool("DEBUG", default=EMBEDDED)
DEBUG_WAS_SAID = bool(env("DEBUG"))
# What was configured: test runners switch DEBUG off, which must not turn a laptop into production.
PRODUCTION = not DEBUG

# --- Core -------------------------------------------------------------------------------------
SECRET_KEY = env("SECRET_KEY") or secret_key(BASE_DIR, is_laptop=EMBEDDED and DEBUG)
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1")
CONFIGURED_HOSTS = tuple(ALLOWED_HOSTS)  # test runners add to the list above
ROOT_URLCONF = "btf_backend.urls"
ASGI_APPLICATION = "btf_backend.routing.application"
AUTH_USER_MODEL = "users.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
APPEND_SLASH = False
TEST_RUNNER = "core.testing.HouseRunner"
TRUSTED_PROXY_COUNT = env_int("TRUSTED_PROXY_COUNT", 0, maximum=10)
SILENCED_SYSTEM_CHECKS: list[str] = []

INSTALLED_APPS = [
    "core",  # before staticfiles: its runserver is daphne's, and keeps time
    *UNFOLD_APPS,
    "btf_backend.console.apps.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "anymail",
    "storages",
    "django_tasks",
    "django_tasks_db",
    "users",
    "authentication",
    "resources",
    "events",
    "announcements",
    "groups",
    "chat",
]
MIDDLEWARE = [
    "core.middleware.RequestIdMiddleware",
    "core.watching.requests.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "core.policies.PolicyMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "core.middleware.EitherSlashMiddleware",
    "core.middleware.BodyLimitMiddleware",
    "core.middleware.ApiEdgeMiddleware",
    "core.conditional.ETagMiddleware",
    "core.pages.PageSessions",
    "django.middleware.csrf.CsrfViewMiddleware",
    "core.pages.PageUsers",
    "core.pages.PageMessages",
]
CONTEXT = ["template.context_processors.request", "contrib.auth.context_processors.auth"]
CONTEXT += ["contrib.messages.context_processors.messages"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": [f"django.{name}" for name in CONTEXT], "libraries": TEMPLATE_TAGS},
    }
]

# --- Security ---------------------------------------------------------------------------------
CORS_ALLOW_ALL_ORIGINS = env_bool("CORS_ALLOW_ALL_ORIGINS", default=False)
CORS_ALLOWED_ORIGINS = env_list("CORS_ALLOWED_ORIGINS", "http://localhost:5173")
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_HEADERS = [*default_headers, "idempotency-key", "if-match", "if-none-match"]
CORS_EXPOSE_HEADERS = ["Content-Disposition", "ETag", "Idempotent-Replayed", "Retry-After", "X-Request-ID"]
CORS_URLS_REGEX = r"^/(api|media)/"
SECURE_SSL_REDIRECT = env_bool("SECURE_SSL_REDIRECT", default=PRODUCTION)
# A redirect would break a CORS preflight and drop a body; the bridge is a page of the SPA's own proxy.
SECURE_REDIRECT_EXEMPT = [r"^api/", r"^auth/verify$", r"^metrics$"]
SECURE_HSTS_SECONDS = env_int("SECURE_HSTS_SECONDS", 31_536_000 if PRODUCTION else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HSTS_SECONDS > 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
SECURE_REFERRER_POLICY = "same-origin"
SESSION_ENGINE = "core.sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_HTTPONLY = True  # forms carry the token; no script of ours reads it
X_FRAME_OPTIONS = "DENY"

# --- Stores -----------------------------------------------------------------------------------
CACHE_KEY_PREFIX = env("CACHE_KEY_PREFIX", "btf")
CHANNEL_REDIS_URL = env_redis("CHANNEL_REDIS_URL", env("REDIS_URL"))
DATABASES = {"default": stores.postgresql() if ON_POSTGRESQL else stores.sqlite(BASE_DIR / "db.sqlite3")}
SOCKET_DB_THREADS = env_int("SOCKET_DB_THREADS", 4, minimum=1, maximum=100)
CACHES = {
    "default": stores.redis_cache(env_redis("REDIS_URL")) if ON_REDIS else stores.memory_cache("default"),
    # Of this process alone: where fairness limits fall back to while Redis is down.
    "local": stores.memory_cache("local"),
}
for cache in CACHES.values():
    cache["KEY_PREFIX"] = CACHE_KEY_PREFIX
CHANNEL_LAYERS = {
    "default": stores.redis_layer(CHANNEL_REDIS_URL, CACHE_KEY_PREFIX)
    if CHANNEL_REDIS_URL
    else stores.MEMORY_LAYER
}
STORE_REST_SECONDS = 1.0  # in which a Redis that did not answer is passed over, where that is possible
STORAGES = {
    "default": stores.s3(VULTR) if ON_S3 else stores.DISK,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
TASKS = {
    "default": {
        "BACKEND": "core.tasks.QueueBackend" if ON_POSTGRESQL else "core.tasks.InProcessBackend",
        "QUEUES": ["default", "sign-in", "mail"],
    }
}
STATIC_URL = "/static/"
STATIC_ROOT = env("STATIC_ROOT", str(BASE_DIR / "staticfiles"))
MEDIA_URL = "/media/"
MEDIA_ROOT = env("MEDIA_ROOT", str(BASE_DIR / "media"))

# --- API --------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["authentication.requests.SessionTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["core.renderers.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "core.parsers.OrjsonParser",
        "core.parsers.BoundedFormParser",
        "core.parsers.BoundedMultiPartParser",
    ],
    "DEFAULT_PAGINATION_CLASS": "core.pagination.HousePagination",
    "DEFAULT_FILTER_BACKENDS": ["core.filters.ListFilterBackend"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.negotiation.RememberedNegotiation",
    "DEFAULT_THROTTLE_CLASSES": ["core.throttling.WritesPerPerson"],
    "DEFAULT_SCHEMA_CLASS": "core.schema.HouseSchema",
    "EXCEPTION_HANDLER": "core.exceptions.error_response",
    "TEST_REQUEST_DEFAULT_FORMAT": "multipart",
}
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000  # a milestone with 500 tasks is one page of the admin site
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440  # bytes of a JSON or form body; files have FILE_UPLOAD_MAX_BYTES
API_WRITES_PER_USER = env_rates("API_WRITES_PER_USER", "300/1m")
EXPORTS_PER_USER = env_rates("EXPORTS_PER_USER", "20/1h")
CONTENT_PAGE_SIZE = env_int("CONTENT_PAGE_SIZE", 100, minimum=1)
API_DOCS_PUBLIC = env_bool("API_DOCS_PUBLIC", default=DEBUG)

# --- Sign-in ----------------------------------------------------------------------------------
FRONTEND_BASE_URL = env("FRONTEND_BASE_URL", "https://yourdomain.com")
MAGIC_LINK_EXPIRY_SECONDS = env_int("MAGIC_LINK_EXPIRY_SECONDS", 600, minimum=1, maximum=604_800)
MAGIC_LINK_PER_ADDRESS = env_rates("MAGIC_LINK_PER_ADDRESS", "1/30s,5/15m")
MAGIC_LINK_PER_SOURCE = env_rates("MAGIC_LINK_PER_SOURCE", "120/15m")
VERIFY_PER_SOURCE = env_rates("VERIFY_PER_SOURCE", "300/15m")
AUTO_PROVISION = env_choice("AUTO_PROVISION", "open", ["open", "domains", "off"])
AUTO_PROVISION_DOMAINS = env_list("AUTO_PROVISION_DOMAINS")
REFRESH_GRACE_SECONDS = env_int("REFRESH_GRACE_SECONDS", 60, maximum=86_400)
JWT_HOURS = env_int("JWT_ACCESS_TOKEN_LIFETIME_HOURS", 1, minimum=1, maximum=8_760)
JWT_DAYS = env_int("JWT_REFRESH_TOKEN_LIFETIME_DAYS", 7, minimum=1, maximum=3_650)
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(hours=JWT_HOURS),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=JWT_DAYS),
}
ADMIN_SESSION_HOURS = env_int("ADMIN_SESSION_HOURS", 12, minimum=1, maximum=168)
ADMIN_IDLE_MINUTES = env_int("ADMIN_IDLE_MINUTES", 60, minimum=1, maximum=10_080)
ADMIN_PROOF_MINUTES = env_int("ADMIN_PROOF_MINUTES", 10, minimum=1, maximum=60)
AUTHENTICATION_BACKENDS = ["users.backends.PasswordBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# --- Mail -------------------------------------------------------------------------------------
PROGRAMME_NAME = env("PROGRAMME_NAME", "BIOTech Futures Hub")
PROGRAMME_COLOUR = env_colour("PROGRAMME_COLOUR", "#0b6e4f")
LANGUAGES = [("en", "English"), ("pt-br", "Português (Brasil)")]  # of letters; the API and the admin site: en
PROGRAMME_LANGUAGE = env_choice("PROGRAMME_LANGUAGE", "en", [language for language, _ in LANGUAGES])
PROGRAMME_TIME_ZONE = env_zone("PROGRAMME_TIME_ZONE", "UTC")
EMAIL_BACKEND = env("EMAIL_BACKEND", "core.console_mail.EmailBackend")
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", "noreply@biotechfutures.org")
EMAIL_HOST = env("EMAIL_HOST", "localhost")
EMAIL_PORT = env_int("EMAIL_PORT", 25, minimum=1, maximum=65_535)
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", default=False)
EMAIL_USE_SSL = env_bool("EMAIL_USE_SSL", default=False)
EMAIL_HOST_USER = env("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env("EMAIL_HOST_PASSWORD")
EMAIL_TIMEOUT = 20
# Where mail's own links find this server.
PUBLIC_BASE_URL = env("PUBLIC_BASE_URL", FRONTEND_BASE_URL).rstrip("/")
DAILY_MAIL_HOUR = env_int("DAILY_MAIL_HOUR", 17, maximum=23)
ANYMAIL = env_prefixed("ANYMAIL_")

# --- Uploads ----------------------------------------------------------------------------------
FILE_UPLOAD_MAX_BYTES = env_int("FILE_UPLOAD_MAX_BYTES", 26_214_400, minimum=1)
FILE_UPLOAD_ALLOWED_MIME_TYPES = env_list(
    "FILE_UPLOAD_ALLOWED_MIME_TYPES",
    "application/pdf,image/png,image/jpeg,image/gif,text/plain,video/mp4,application/msword,"
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document,application/vnd.ms-excel,"
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet,application/zip",
)
FILE_UPLOAD_BLOCKED_EXTENSIONS = env_list("FILE_UPLOAD_BLOCKED_EXTENSIONS", ".exe,.bat,.sh,.cmd,.msi,.vbs")
CLAMD_SOCKET = env("CLAMD_SOCKET")
FILE_UPLOAD_SCAN_COMMAND = env("FILE_UPLOAD_SCAN_COMMAND")
FILE_UPLOAD_SCAN_SECONDS = env_int("FILE_UPLOAD_SCAN_SECONDS", 4, minimum=1, maximum=120)
FILE_UPLOADS_PER_DAY = env_int("FILE_UPLOADS_PER_DAY", 200, minimum=1)
FILE_UPLOAD_BYTES_PER_DAY = env_int("FILE_UPLOAD_BYTES_PER_DAY", 1_073_741_824, minimum=1)
FILE_DELIVERY = env_choice("FILE_DELIVERY", "direct", ["direct", "accel", "redirect"])
FILE_LINK_HOURS = env_int("FILE_LINK_HOURS", 12, minimum=1, maximum=168)
MEDIA_PUBLIC_BASE_URL = env("MEDIA_PUBLIC_BASE_URL").rstrip("/")  # empty: the origin that was asked

# --- Sockets and chat -------------------------------------------------------------------------
SOCKETS_PER_SOURCE = env_rates("SOCKETS_PER_SOURCE", "1200/1m")
SOCKETS_PER_USER = env_rates("SOCKETS_PER_USER", "120/1m")
CHAT_BURST = env_int("CHAT_BURST", 30, minimum=1)
CHAT_PER_SECOND = env_int("CHAT_PER_SECOND", 2, minimum=1)
MESSAGE_MAX_CHARS = env_int("MESSAGE_MAX_CHARS", 10_000, minimum=1, maximum=10_000)
MESSAGE_EDIT_MINUTES = env_int("MESSAGE_EDIT_MINUTES", 10)
CHAT_ATTACHMENT_ALLOWED_HOSTS = env_list("CHAT_ATTACHMENT_ALLOWED_HOSTS")

# --- Watching ---------------------------------------------------------------------------------
LOGGING = logging_settings(level=env_choice("DJANGO_LOG_LEVEL", "INFO", LOG_LEVELS), structured=PRODUCTION)
METRICS_TOKEN = env("METRICS_TOKEN")
SENTRY_DSN = env("SENTRY_DSN")
AUDIT_RETENTION_DAYS = env_int("AUDIT_RETENTION_DAYS", 730, minimum=30, maximum=36_500)
