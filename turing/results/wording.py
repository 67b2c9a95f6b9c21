"""How the results of the game are put into words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from stats.game.selection import CHANCE, Verdict
from stats.mixed import Interval
from stats.reports import numbers
from stats.reports.numbers import DASH, SPACE, decimal, points
from turing.models import Form
from turing.results.figures import LiveResults, ScopeResults


def percent(share: float | None) -> str:
    """Return a share with one decimal, as '46.4 %', or a dash for one that is undefined."""
    return numbers.percent(share, 1)


def interval(ci: Interval | None, *, is_cut: bool = True) -> str:
    """Return the ends of an interval of shares, in words that are not parted; cut at 0 and 1 if it is no difference."""
    if ci is None:
        return DASH
    low, high = (max(ci[0], 0.0), min(ci[1], 1.0)) if is_cut else ci
    ends = _("%(low)s to %(high)s") % {"low": decimal(100 * low, 1), "high": percent(high)}
    return ends.replace(" ", SPACE)


def form_label(key: str) -> str:
    """Return the name of a form; what has none may be an answer, or verse of another kind."""
    return str(Form(key).label) if key in Form.values else _("no named form")


def verdict_words(results: ScopeResults, margin: float) -> str:
    """Return the verdict in a word or two, before the first game that there is none."""
    return verdict_name(results.verdict, margin) if results.sequence.units else _("Nothing to say yet")


def verdict_name(verdict: Verdict, margin: float) -> str:
    """Return the name of a verdict."""
    return {
        "distinguishable": _("Distinguishable"),
        "equivalent": _("Equivalent within %(points)s points") % {"points": points(margin)},
        "undecided": _("Undecided"),
    }[verdict]


def verdict_sentence(results: ScopeResults, live: LiveResults) -> str:
    """Return what may be concluded from the confidence sequence."""
    sequence = results.sequence
    if not sequence.units:
        return _("No player has completed a game yet.")
    words = {"interval": interval(sequence.ci), "points": points(live.margin)}
    if results.verdict == "equivalent":
        return (
            _(
                "Players take the machine’s text for the human one in %(interval)s of their rounds, at most"
                " %(points)s points from one half: in effect they cannot tell."
            )
            % words
        )
    if results.verdict == "undecided":
        return (
            _(
                "The data do not settle it: shares of %(interval)s remain plausible, and one half is among them."
            )
            % words
        )
    if sequence.ci[1] < CHANCE:
        return (
            _(
                "Players take the machine’s text for the human one in %(interval)s of their rounds, less than one"
                " half: they can tell."
            )
            % words
        )
    return (
        _(
            "Players take the machine’s text for the human one in %(interval)s of their rounds, more than one"
            " half: they can tell, and prefer the machine’s."
        )
        % words
    )
