"""How a report writes numbers, p-values and what they mean."""

from __future__ import annotations

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from stats.ratings.choice import Choice
from stats.reports.document import Cell, Number
from stats.reports.numbers import DASH, SPACE, count, decimal, p_number, p_words, percent, signed
from stats.significance import Comparison

ALPHA = 0.05


def interval(ci: tuple[float, float] | None, *, with_sign: bool = False) -> str:
    """Return the two ends of an interval, which are not parted at the end of a line."""
    if ci is None:
        return DASH
    write = signed if with_sign else decimal
    ends = _("%(low)s to %(high)s") % {"low": write(ci[0]), "high": write(ci[1])}
    return ends.replace(" ", SPACE)


def cell(value: float | None, text: str | None = None) -> Cell:
    """Return a number for a table, or a dash where there is none."""
    if value is None:
        return DASH
    return Number(value, decimal(value) if text is None else text)


def p_cell(p: float | None) -> Cell:
    return cell(p, p_number(p))


def count_cell(value: int | None) -> Cell:
    return cell(value, DASH if value is None else count(value))


def in_a_row(*sentences: str) -> str:
    """Return sentences one after the other; in Chinese no space stands between them. Empty ones are left out."""
    return ("" if (get_language() or "").startswith("zh") else " ").join(filter(None, sentences))


def comparison_sentence(comparison: Comparison, labels: dict[str, str]) -> str:
    """Return what one comparison says, in the words of its confidence interval and not of its p-value alone.

    The second method of the pair is the subject, as the difference is taken everywhere: second less first.
    """
    a, b, estimate = labels[comparison.a], labels[comparison.b], comparison.estimate
    if estimate is None:
        return _("No evaluator rated both %(a)s and %(b)s, so they cannot be compared.") % {"a": a, "b": b}
    words = {"a": a, "b": b, "points": decimal(abs(estimate))}
    if estimate > 0:
        result = _("%(b)s scored %(points)s points higher than %(a)s") % words
    elif estimate < 0:
        result = _("%(b)s scored %(points)s points lower than %(a)s") % words
    else:
        result = _("%(b)s and %(a)s scored the same on average") % words
    ci = comparison.crossed.ci
    if ci is None:
        return in_a_row(
            _("In this study %(result)s.") % {"result": result},
            _("This describes these ratings; it is no test."),
        )
    tested = {
        "scope": scope(comparison),
        "result": result,
        "ci": interval(ci, with_sign=True),
        "p": p_words(comparison.crossed.p),
        "correction": _("Holm %(p)s") % {"p": p_number(comparison.p_holm)}
        if comparison.is_planned
        else _("exploratory, not in the plan"),
    }
    sentence = _("%(scope)s, %(result)s (95 %% CI %(ci)s; %(p)s, %(correction)s).")
    return in_a_row(sentence % tested, conclusion(comparison, *ci))


def scope(comparison: Comparison) -> str:
    """Return of whom the result speaks."""
    if comparison.crossed.method == "these evaluators":
        return _("For these %(n)d evaluators, over new prompts like these") % {
            "n": comparison.crossed.evaluators
        }
    return _("Across new evaluators and new prompts like these")


def analysis_sentences(choice: Choice, *, is_judged: bool = False) -> list[str]:
    """Say which analysis compares the methods, and why."""
    if choice.kind == "page differences" and is_judged:
        return [
            _(
                "The difference of two methods is taken on each page that both shared and analysed with evaluators and"
                " prompts as crossed random effects, so it speaks of evaluators and prompts beyond these. The scores of"
                " a page come of one answer, so they are not analysed by themselves."
            )
        ]
    share = {"share": percent(choice.share_on_whole_pages), "n": choice.evaluators}
    if choice.kind == "page differences":
        return [
            _(
                "The difference of two methods is taken on each page and analysed with evaluators and prompts as"
                " crossed random effects, so it speaks of evaluators and prompts beyond these. It was chosen because"
                " %(share)s of the ratings stand on pages with all methods of their prompt."
            )
            % share
        ]
    if choice.kind == "these evaluators":
        return [
            _(
                "With %(n)d evaluators nothing can be said about others: the result is conditional on these"
                " evaluators and speaks of new prompts alone (each evaluator weighs the same, prompts are the sample)."
            )
            % share
        ]
    sentences = [
        _(
            "All ratings are analysed together in a mixed model with crossed random effects of evaluators, prompts,"
            " evaluators by method and prompts by method (REML, Satterthwaite's degrees of freedom). It was chosen"
            " because only %(share)s of the ratings stand on pages with all methods of their prompt."
        )
        % share
    ]
    names = {
        "evaluator": _("evaluators"),
        "prompt": _("prompts"),
        "evaluator:method": _("evaluators by method"),
        "prompt:method": _("prompts by method"),
    }
    for one in choice.dropped:
        reason = (
            _(
                "The effect of %(term)s cannot be told from the methods and is left out: nothing is claimed about"
                " new ones."
            )
            if one.reason == "fixed"
            else _(
                "The effect of %(term)s cannot be told from another one in this design and is counted there."
            )
        )
        sentences.append(reason % {"term": names[one.term]})
    if choice.model is not None and choice.model.part is not None:
        sentences.append(
            _(
                "The variance components are those of a part of %(part)s ratings; the differences and their errors"
                " are of all %(all)s ratings."
            )
            % {"part": f"{choice.model.part:,}", "all": f"{choice.model.ratings:,}"}
        )
    if choice.refusal is not None:
        sentences.append(
            {
                "too few ratings": _("There are too few ratings, or they do not vary, so nothing is tested."),
                "too large": _("The design is too large to be fitted, so nothing is tested."),
                "not converged": _("The fit did not converge, so nothing is tested."),
            }[choice.refusal]
        )
    return sentences


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
