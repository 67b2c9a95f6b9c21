"""How numbers stand in text: decimals, differences with their sign, shares in percent, p-values and e-values."""

from __future__ import annotations

import math

# A typographic minus, a dash for what is undefined, and a space at which no line breaks.
MINUS, DASH, SPACE = "−", "–", "\N{NO-BREAK SPACE}"
SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def count(value: int) -> str:
    """Return a number of things, its thousands set apart."""
    return f"{value:,}"


def decimal(value: float | None, digits: int = 2) -> str:
    """Return a number with so many decimals, or a dash for one that is undefined."""
    return DASH if value is None else f"{round(value, digits) or 0.0:.{digits}f}".replace("-", MINUS)


def signed(value: float | None, digits: int = 2) -> str:
    """Return a difference with its sign."""
    if value is None:
        return DASH
    if round(value, digits) == 0:
        return f"{0:.{digits}f}"
    return f"{value:+.{digits}f}".replace("-", MINUS)


def percent(share: float | None, digits: int = 0) -> str:
    """Return a share as a percentage with so many decimals, or a dash for one that is undefined."""
    return DASH if share is None else f"{100 * share:.{digits}f}{SPACE}%"


def exact_percent(share: float) -> str:
    """Return a share that somebody has set as a percentage, with the decimals that it has."""
    return f"{points(share)}{SPACE}%"


def points(share: float) -> str:
    """Return a share, or a difference of two, in points of a hundred."""
    return f"{100 * share:g}"


def p_number(p: float | None) -> str:
    """Return a p-value as journals print it: two decimals, more where it is small, no zero in front."""
    if p is None:
        return DASH
    if p < 0.001:
        return "< .001"
    digits = 3 if p < 0.1 else 2
    return f"{p:.{digits}f}".removeprefix("0") if round(p, digits) < 1 else "1"


def p_words(p: float | None) -> str:
    """Return 'p = .16' or 'p < .001'."""
    written = p_number(p)
    return f"p {written}" if written.startswith("<") else f"p = {written}"


def e_number(log_e: float) -> str:
    """Return an e-value; of one beyond a million the power of ten that it exceeds."""
    if log_e < math.log(1e6):
        return f"{math.exp(log_e):,.2f}"
    return f"> 10{str(int(log_e / math.log(10))).translate(SUPERSCRIPT)}"
