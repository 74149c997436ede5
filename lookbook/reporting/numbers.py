"""Numbers as people read them: with a unit, and as many digits as their interval bears."""

import math

from lookbook.evaluation.significance import Comparison

MILLION, THOUSAND = 10**6, 10**3
SPACE = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
SCALES = (100, 1_000, 10_000, 100_000)  # so many new pictures are spoken of


def digits_of(low: float, high: float) -> int:
    """Return how many digits after the point a share, in percent, has a right to.

    One digit of half the interval's width is kept, two where it begins with a 1, as the Particle
    Data Group rounds (Review of Particle Physics, introduction, 5.3).

    Args:
        low: Lower bound of the interval, from 0 to 1.
        high: Upper bound.
    """
    half = 50 * (high - low)
    if half <= 0:
        return 0
    exponent = math.floor(math.log10(half))
    return max(0, (half < 2 * 10.0**exponent) - exponent)


def percent(share: float, digits: int = 1) -> str:
    """Return a share in percent."""
    return f"{100 * share:.{digits}f}{SPACE}%"


def points(difference: float, digits: int = 1) -> str:
    """Return a difference of two shares in percentage points, with its sign."""
    return f"{100 * difference:+.{digits}f}".replace("-", MINUS)


def of_new_pictures(low: float, high: float) -> str:
    """Return an interval in words: `between 93 and 94 of 100`.

    Of as many pictures as it takes to tell the bounds apart, and from none and all.
    """
    for scale in SCALES:
        least, most = round(scale * low), round(scale * high)
        touches = (least == 0 < low) or (most == scale and high < 1)
        if least < most and not touches:
            break
    return f"between {least:,} and {most:,} of {scale:,}"


def rounded(number: float) -> str:
    """Return a large number in words: `59 million`."""
    for size, word in ((MILLION, "million"), (THOUSAND, "thousand")):
        if number >= size:
            return f"{_two_digits(number / size)}{SPACE}{word}"
    return f"{number:,.0f}"


def size(count: int) -> str:
    """Return a number of bytes with its unit."""
    for unit, word in ((MILLION, "MB"), (THOUSAND, "kB")):
        if count >= unit:
            return f"{_two_digits(count / unit)}{SPACE}{word}"
    return f"{count}{SPACE}bytes"


def _two_digits(number: float) -> str:
    return f"{number:.2g}" if number < 10 else f"{number:,.0f}"


def in_three_digits(number: float) -> str:
    """Return a number with three digits that count, without an exponent."""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def chance(p_value: float) -> str:
    """Return a p-value, never as 0."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"


def difference(comparison: Comparison) -> str:
    """Return a difference in points with its interval, and how likely it is among equals."""
    digits = digits_of(comparison.low, comparison.high)
    middle, low, high = (
        points(value, digits) for value in (comparison.difference, comparison.low, comparison.high)
    )
    return f"{middle} points ({low} to {high}), {chance(comparison.p_value)}"


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
