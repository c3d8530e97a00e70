"""What sign-in writes to people."""

from django.conf import settings

from core.mail import Fact, Letter


def sign_in_letter(token: str, code: str) -> Letter:
    """Write the letter. Its two facts are lines that clients and tests look for."""
    minutes = max(1, settings.MAGIC_LINK_EXPIRY_SECONDS // 60)
    return Letter(
        subject=f"Sign in to {settings.PROGRAMME_NAME}",
        opening="Use the link or the code to sign in. Each works once.",
        facts=(
            Fact(
                "Magic Link",
                f"{settings.FRONTEND_BASE_URL.rstrip('/')}/auth/verify?token={token}",
                action="Sign in",
            ),
            Fact("One-Time Code", code),
        ),
        closing=f"Both expire in {minutes} minutes. If you did not ask for this, you can ignore this mail.",
    )


def token_reuse_letter(device: str) -> Letter:
    """Tell a person that one of their sessions was ended because an old token of it came back."""
    return Letter(
        subject=f"A session of your {settings.PROGRAMME_NAME} account was ended",
        opening=(
            f"A session of yours ({device or 'unknown device'}) was ended, because a key of it that had been "
            "replaced was used again. Somebody may have copied it."
        ),
        closing="Sign in again to go on. If this happens again, tell the programme team.",
    )
