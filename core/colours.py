"""Colours, ``#rrggbb``, that can be read on each other: contrast as WCAG 2.2 (1.4.3) computes it."""

from __future__ import annotations

from typing import Final

WHITE: Final = "#ffffff"
BLACK: Final = "#000000"
LINEAR_TO: Final = 0.04045  # where the curve of sRGB begins
READABLE: Final = 4.5  # level AA, for text of any size
STEPS: Final = 20


def parts_of(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue, 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def luminance(colour: str) -> float:
    """Return how bright it is, 0 to 1."""
    shares = (part / 255 for part in parts_of(colour))
    red, green, blue = (
        share / 12.92 if share <= LINEAR_TO else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return from 1 (the same) to 21 (black on white)."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def ink_on(ground: str) -> str:
    """Return black or white, whichever reads better. The worse of all grounds still gives 4.58."""
    return max((WHITE, BLACK), key=lambda ink: contrast(ink, ground))


def mixed(colour: str, other: str, share: float) -> str:
    """Return the colour with so much (0 to 1) of the other in it."""
    pairs = zip(parts_of(colour), parts_of(other), strict=True)
    return "#{:02x}{:02x}{:02x}".format(*(round(a + (b - a) * share) for a, b in pairs))


def readable(colour: str, *, on: str) -> str:
    """Return the colour, moved towards the better of black and white until it can be read there."""
    goal = ink_on(on)
    for step in range(STEPS + 1):
        moved = mixed(colour, goal, step / STEPS)
        if contrast(moved, on) >= READABLE:
            return moved
    return ink_on(on)
