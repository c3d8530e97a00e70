"""The start-up checks, one by one (B16)."""

from __future__ import annotations

from typing import Any

from django.core.checks import run_checks
from django.test import SimpleTestCase, override_settings

from core.checks import STARTUP

SAFE: dict[str, Any] = {
    "PRODUCTION": True,
    "EMBEDDED": False,
    "ON_POSTGRESQL": True,
    "SECRET_KEY": "k" * 50,
    "CONFIGURED_HOSTS": ("hub.example.org",),
    "CORS_ALLOW_ALL_ORIGINS": False,
    "CORS_ALLOW_CREDENTIALS": True,
    "CACHES": {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}},
    "CHANNEL_LAYERS": {"default": {"BACKEND": "core.layer.BoundedPubSubLayer"}},
    "VULTR": dict.fromkeys(["ACCESS_KEY", "SECRET_KEY", "BUCKET_NAME", "S3_ENDPOINT"], ""),
    "CLAMD_SOCKET": "",
    "FILE_UPLOAD_SCAN_COMMAND": "",
    "PUBLIC_BASE_URL": "https://hub.example.org",
    "METRICS_TOKEN": "",
    "SENTRY_DSN": "",
}
LOCMEM = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
PUBLIC_BUCKET = {
    "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {"default_acl": "public-read"}}
}
IN_MEMORY = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
# What is changed; how production refuses it (id, helping word); whether a laptop is refused too.
CASES: list[tuple[dict[str, Any], str, str, bool]] = [
    ({"SECRET_KEY": "k" * 49}, "btf.E001", "SECRET_KEY", False),
    ({"SECRET_KEY": "django-insecure-" + "k" * 50}, "btf.E001", "SECRET_KEY", False),
    ({"CONFIGURED_HOSTS": ("hub.example.org", "*")}, "btf.E002", "ALLOWED_HOSTS", False),
    ({"CORS_ALLOW_ALL_ORIGINS": True}, "btf.E003", "CORS_ALLOWED_ORIGINS", True),
    ({"EMBEDDED": True, "ON_POSTGRESQL": False}, "btf.E004", "DB_NAME", False),
    ({"ON_POSTGRESQL": False}, "btf.E004", "DB_NAME", False),
    ({"CACHES": LOCMEM}, "btf.E005", "REDIS_URL", False),
    ({"CHANNEL_LAYERS": IN_MEMORY}, "btf.E006", "CHANNEL_REDIS_URL", False),
    ({"VULTR": {**SAFE["VULTR"], "ACCESS_KEY": "x"}}, "btf.E007", "VULTR_BUCKET_NAME", True),
    ({"FILE_UPLOAD_SCAN_COMMAND": "clamscan"}, "btf.E008", "{file}", True),
    ({"FILE_UPLOAD_SCAN_COMMAND": "{file}"}, "btf.E008", "{file}", True),
    ({"FILE_UPLOAD_SCAN_COMMAND": "clamscan '{file}"}, "btf.E008", "{file}", True),
    ({"CLAMD_SOCKET": "clamd.ctl"}, "btf.E009", "host:port", True),
    ({"STORAGES": PUBLIC_BUCKET}, "btf.E010", "VULTR_DEFAULT_ACL", True),
    ({"ANYMAIL": {"WEBHOOK_SECRET": "a:b"}}, "btf.E011", "ANYMAIL_WEBHOOK_SECRET", True),
    ({"PUBLIC_BASE_URL": "https://app.example.org"}, "btf.W002", "ALLOWED_HOSTS", False),
    ({"PUBLIC_BASE_URL": "hub.example.org"}, "btf.W002", "ALLOWED_HOSTS", False),
    ({"METRICS_TOKEN": "t" * 19}, "btf.E013", "METRICS_TOKEN", True),
    ({"METRICS_TOKEN": f"two words {'t' * 20}"}, "btf.E013", "METRICS_TOKEN", True),
    ({"SENTRY_DSN": "https://errors.example.org/1"}, "btf.E014", "SENTRY_DSN", True),
    ({"SENTRY_DSN": "https://key@errors.example.org/hub"}, "btf.E014", "SENTRY_DSN", True),
    ({"SENTRY_DSN": "https://key@errors.example.org:x/1"}, "btf.E014", "SENTRY_DSN", True),
]


class CheckTests(SimpleTestCase):
    def found(self, **changed: Any) -> dict[str, str]:
        with override_settings(**{**SAFE, **changed}):
            return {str(message.id): str(message.msg) for message in run_checks(tags=[STARTUP])}

    def test_a_safe_configuration_passes(self) -> None:
        self.assertEqual(self.found(), {})
        self.assertEqual(self.found(VULTR=dict.fromkeys(SAFE["VULTR"], "x")), {})
        self.assertEqual(self.found(CORS_ALLOW_ALL_ORIGINS=True, CORS_ALLOW_CREDENTIALS=False), {})
        self.assertEqual(self.found(CONFIGURED_HOSTS=(".example.org",)), {})
        scanners = {"CLAMD_SOCKET": "127.0.0.1:3310", "FILE_UPLOAD_SCAN_COMMAND": "clamdscan --fdpass {file}"}
        self.assertEqual(self.found(**scanners), {})

    def test_each_danger_is_refused_by_name_and_with_the_way_out(self) -> None:
        """B16."""
        for changed, slug, word, _ in CASES:
            with self.subTest(changed=list(changed), slug=slug):
                found = self.found(**changed)

                self.assertEqual(list(found), [slug])
                self.assertIn(word, found[slug])

    def test_a_laptop_may_do_what_harms_nobody(self) -> None:
        for changed, slug, _, on_laptops_too in CASES:
            with self.subTest(changed=list(changed)):
                found = self.found(PRODUCTION=False, **changed)
                self.assertEqual(list(found), [slug] if on_laptops_too else [])

    def test_no_refusal_tells_the_key(self) -> None:
        self.assertNotIn("kkkk", str(self.found(SECRET_KEY="k" * 49)))
