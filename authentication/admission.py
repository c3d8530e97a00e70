"""Who may sign in: asked before a mail is sent, and again when its link or code is redeemed."""

from django.conf import settings

from users.access import may_use_site
from users.models import User


def may_sign_in(address: str) -> bool:
    """Tell whether an address is a person who may enter, or one that may become an account."""
    user = User.objects.with_address(address).first()
    return user.may_enter if user else may_be_provisioned(address)


def may_sign_in_at_site(address: str) -> bool:
    """Tell whether an address is somebody for whom the admin site opens; nobody becomes an account there."""
    user = User.objects.with_address(address).first()
    return user is not None and may_use_site(user)


def may_be_provisioned(address: str) -> bool:
    """Apply AUTO_PROVISION to an unknown address."""
    if settings.AUTO_PROVISION == "domains":
        return address.rpartition("@")[2] in {domain.lower() for domain in settings.AUTO_PROVISION_DOMAINS}
    return bool(settings.AUTO_PROVISION == "open")
