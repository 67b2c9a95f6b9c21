"""Ratings as ordered categories: the ordinal check, how strict evaluators are, and the methods' fair averages."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.results.document.wording import cell, count_cell, in_a_row, interval, p_cell
from generation.files.problems import listed
from stats.ordinal.check import OrdinalCheck
from stats.ordinal.severity import INFIT, Severity
from stats.reports.document import Block, Paragraph, Table
from stats.reports.numbers import decimal, percent, signed
from stats.reports.study_report import StudyReport


def ordinal_blocks(report: StudyReport) -> list[Block]:
    """Give the primary comparisons by the cumulative-logit model."""
    check = report.ordinal
    if check is None:
        return []
    if check.refusal is not None:
        reason = {
            "too few evaluators or prompts": _("there are too few evaluators or prompts"),
            "one score": _("everybody gave the same score"),
            "too many ratings": _("there are too many ratings"),
            "not converged": _("the fit did not converge"),
        }[check.refusal]
        return [Paragraph(_("There is no ordinal check: %(reason)s.") % {"reason": reason})]
    labels = report.study.method_labels
    return [
        Table(
            _("Ordinal check: differences in log odds of a higher score, by a cumulative-logit model"),
            (_("Pair"), _("Log odds"), _("95 % CI"), "p", _("Superiority")),
            tuple(
                (
                    f"{labels[one.b]} − {labels[one.a]}",
                    cell(one.log_odds, signed(one.log_odds)),
                    interval(one.ci, with_sign=True),
                    p_cell(one.p),
                    cell(one.superiority, f"{decimal(one.superiority)} [{interval(one.superiority_ci)}]"),
                )
                for one in check.contrasts
            ),
        ),
        Paragraph(in_a_row(*check_sentences(check, labels))),
    ]


def check_sentences(check: OrdinalCheck, labels: dict[str, str]) -> list[str]:
    """Say what the check assumes, and what was done to the scores for it."""
    sentences = [
        _(
            "Scores are taken as ordered categories, not as points of equal distance; evaluators and prompts have"
            " random effects, also by method (Laplace's approximation), and the intervals the degrees of freedom of the"
            " primary analysis."
        )
    ]
    if check.is_grouped:
        sentences.append(_("The scores were grouped in %(n)d categories.") % {"n": check.categories})
    if check.unused:
        sentences.append(
            ngettext(
                "%(n)d point of the scale was never given and is merged with its neighbour.",
                "%(n)d points of the scale were never given and are merged with their neighbours.",
                check.unused,
            )
            % {"n": check.unused}
        )
    if check.penalised:
        sentences.append(
            _(
                "All scores of %(methods)s are at one end of the scale, so half an observation was added beside them."
            )
            % {"methods": listed(labels[method] for method in check.penalised)}
        )
    return sentences


def severity_blocks(report: StudyReport) -> list[Block]:
    """Say how strict each evaluator is, and give the methods' averages as if all were equally strict."""
    found = report.severity
    if found is None:
        return []
    if found.refusal is not None:
        return [Paragraph(severity_refusal(found))]
    labels = report.study.method_labels
    blocks: list[Block] = [
        Table(
            _("Strictness of evaluators, in log odds above the average (many-facet Rasch model)"),
            (_("Evaluator"), _("Strictness"), _("95 % CI"), _("Infit"), _("Ratings")),
            tuple(
                (
                    one.evaluator,
                    cell(one.severity, signed(one.severity)),
                    interval(one.ci, with_sign=True),
                    cell(one.infit),
                    count_cell(one.ratings),
                )
                for one in found.evaluators
            ),
        ),
        Paragraph(in_a_row(*severity_sentences(found))),
        Table(
            _(
                "Means of the methods, and fair averages: those that evaluators of average strictness would have given"
            ),
            (_("Method"), _("Mean of all ratings"), _("Fair average")),
            tuple((labels[one.method], cell(one.raw), cell(one.fair)) for one in found.averages),
        ),
    ]
    if found.order_differs:
        blocks.append(
            Paragraph(
                _(
                    "The fair averages put the methods in another order than the means: who rated what bears on the"
                    " means."
                ),
                is_notice=True,
            )
        )
    return blocks


def severity_refusal(found: Severity) -> str:
    """Say why nobody's strictness is told; nothing where it is."""
    if found.refusal is None:
        return ""
    reason = {
        "one score": _("everybody gave the same score"),
        "one rating a text": _("most texts have one rating"),
        "not connected": _("some evaluators share no text with the others"),
        "too many ratings": _("there are too many ratings"),
        "not converged": _("the fit did not converge"),
    }[found.refusal]
    return _("How strict evaluators are cannot be told: %(reason)s.") % {"reason": reason}


def severity_sentences(found: Severity) -> list[str]:
    """Say how well evaluators are told apart, and whose ratings the model does not expect."""
    sentences = [
        _("Evaluators differ in strictness with a separation reliability of %(share)s.")
        % {"share": percent(found.separation)},
        _(
            "Infit is 1 where ratings vary as the model expects; above %(high)s they are erratic, below %(low)s too"
            " regular."
        )
        % {"low": decimal(INFIT[0], 1), "high": decimal(INFIT[1], 1)},
    ]
    outside = [one.evaluator for one in found.evaluators if not one.fits]
    if outside:
        sentences.append(_("Outside of this: %(evaluators)s.") % {"evaluators": listed(outside)})
    return sentences
