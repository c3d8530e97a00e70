"""The colours of the admin site, out of the one that is the programme's (PROGRAMME_COLOUR)."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from unfold.settings import CONFIG_DEFAULTS

from core.colours import WHITE, mixed, readable

# How much white (above 0) or black (below 0) is in each step of the scale.
SCALE: Final = {
    50: 0.95,
    100: 0.9,
    200: 0.75,
    300: 0.6,
    400: 0.35,
    500: 0.1,
    600: 0.0,
    700: -0.15,
    800: -0.3,
    900: -0.45,
    950: -0.6,
}
DARK_GROUND: Final = "#101828"  # of the site's dark pages


def primary_colours() -> dict[int, str]:
    """Return the scale of the programme's colour: 600 carries white words; 400 and 500 are read on dark."""
    base = readable(settings.PROGRAMME_COLOUR, on=WHITE)
    scale = {
        step: mixed(base, "#ffffff" if share > 0 else "#000000", abs(share)) for step, share in SCALE.items()
    }
    return scale | {step: readable(scale[step], on=DARK_GROUND) for step in (400, 500)}


def theme_css() -> str:
    """Return the style sheet with every colour that the library's own sheet names."""
    colours = {**CONFIG_DEFAULTS["COLORS"], "primary": primary_colours()}
    steps = "".join(
        f"--color-{name}-{step}:{colour};"
        for name, scale in colours.items()
        for step, colour in scale.items()
    )
    return f":root{{--border-radius:6px;{steps}}}\n"
