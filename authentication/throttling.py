"""What one source address may ask of sign-in."""

from core.throttling import PerSource


class LinksPerSource(PerSource):
    """Mails that one source may cause: a classroom of 40 gets in, a bomber does not."""

    setting = "MAGIC_LINK_PER_SOURCE"


class VerificationsPerSource(PerSource):
    """Codes and links that one source may try."""

    setting = "VERIFY_PER_SOURCE"
