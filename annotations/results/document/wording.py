"""How a report writes numbers, p-values and what they mean."""

from __future__ import annotations

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from stats.reports.document import Cell, Number
from stats.significance import Comparison

ALPHA = 0.05
# A typographic minus, and a dash for what is undefined.
MINUS, DASH = "−", "–"


def decimal(value: float | None, digits: int = 2) -> str:
    """Return a number with so many decimals, or a dash for one that is undefined."""
    return DASH if value is None else f"{value:.{digits}f}".replace("-", MINUS)


def signed(value: float | None, digits: int = 2) -> str:
    """Return a difference with its sign."""
    return DASH if value is None else f"{value:+.{digits}f}".replace("-", MINUS)


def percent(share: float | None) -> str:
    """Return a share as a percentage."""
    return DASH if share is None else f"{100 * share:.0f} %"


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


def interval(ci: tuple[float, float] | None, *, with_sign: bool = False) -> str:
    """Return the two ends of an interval, which are not parted at the end of a line."""
    if ci is None:
        return DASH
    write = signed if with_sign else decimal
    ends = _("%(low)s to %(high)s") % {"low": write(ci[0]), "high": write(ci[1])}
    return ends.replace(" ", "\N{NO-BREAK SPACE}")


def cell(value: float | None, text: str | None = None) -> Cell:
    """Return a number for a table, or a dash where there is none."""
    if value is None:
        return DASH
    return Number(value, decimal(value) if text is None else text)


def p_cell(p: float | None) -> Cell:
    return cell(p, p_number(p))


def count_cell(value: int | None) -> Cell:
    return cell(value, str(value))


def in_a_row(*sentences: str) -> str:
    """Return sentences one after the other; in Chinese no space stands between them."""
    return ("" if (get_language() or "").startswith("zh") else " ").join(sentences)


def comparison_sentence(comparison: Comparison, labels: dict[str, str]) -> str:
    """Return what one comparison says, in the words of its confidence interval and not of its p-value alone."""
    if comparison.estimate is None:
        return _("No evaluator rated both %(a)s and %(b)s, so they cannot be compared.") % {
            "a": labels[comparison.a],
            "b": labels[comparison.b],
        }
    better, worse = (comparison.b, comparison.a) if comparison.estimate >= 0 else (comparison.a, comparison.b)
    words = {
        "better": labels[better],
        "worse": labels[worse],
        "points": decimal(abs(comparison.estimate)),
    }
    ci = comparison.crossed.ci
    if ci is None:
        return in_a_row(
            _("In this study %(better)s scored %(points)s points higher than %(worse)s on average.") % words,
            _("This describes these ratings; it is no test."),
        )
    # The sentence names the higher method first, so the interval is turned with it.
    low, high = ci if better == comparison.b else (-ci[1], -ci[0])
    words |= {
        "ci": interval((low, high), with_sign=True),
        "p": p_words(comparison.crossed.p),
        "holm": p_number(comparison.p_holm),
    }
    result = (
        _(
            "Across new evaluators and new prompts like these, %(better)s scored %(points)s points higher"
            " than %(worse)s (95 %% CI %(ci)s; %(p)s, Holm %(holm)s)."
        )
        % words
    )
    return in_a_row(result, conclusion(comparison, low, high))


def conclusion(comparison: Comparison, low: float, high: float) -> str:
    """Return what may be concluded from one tested comparison, whose interval runs from `low` to `high`."""
    sentences = []
    if comparison.p_holm is not None and comparison.p_holm < ALPHA:
        sentences.append(_("The data establish a difference."))
    else:
        sentences.append(
            _("The data do not establish a difference; effects from %(low)s to %(high)s remain plausible.")
            % {"low": signed(low, 1), "high": signed(high, 1)}
        )
    if comparison.equivalence is not None and comparison.equivalence.is_comparable:
        sentences.append(
            _("The two are comparable within the margin of %(margin)s points set beforehand.")
            % {"margin": decimal(comparison.equivalence.margin)}
        )
    if comparison.conclusion_depends_on_method:
        sentences.append(_("The conclusion depends on the method of analysis: see ‘Robustness’."))
    return in_a_row(*sentences)
