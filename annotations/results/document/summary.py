"""The beginning of a report: what a reader wants to know before all else, on one screen."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations import counted
from annotations.results.document.findings import MOST_SENTENCES, pair_label, summary_sentence
from annotations.results.document.wording import cell as number_cell
from annotations.results.document.wording import in_a_row, interval, p_cell
from stats.analysis import Analysis
from stats.reports.document import Block, Paragraph, Section, Table
from stats.reports.numbers import signed
from stats.reports.study_report import StudyReport


def summary_section(report: StudyReport) -> Section:
    """Say what the numbers are not, who counts, what was planned, and how the methods differ on what decides."""
    blocks: list[Block] = [Paragraph(notice, is_notice=True) for notice in notices(report)]
    people = report.participants
    counts = ngettext(
        "%(valid)d of %(evaluators)s counts, who rated %(methods)s on %(prompts)s.",
        "%(valid)d of %(evaluators)s count, who rated %(methods)s on %(prompts)s.",
        people.valid,
    ) % {
        "valid": people.valid,
        "evaluators": counted.evaluators(people.recruited),
        "methods": counted.methods(len(report.study.methods)),
        "prompts": counted.prompts(report.study.prompts),
    }
    blocks.append(Paragraph(in_a_row(counts, plan_sentence(report))))
    if report.analysis is not None:
        compared = [one for one in report.analysis.comparisons if one.criterion == report.analysis.primary]
        blocks.append(
            primary_table(report, report.analysis)
            if len(compared) <= MOST_SENTENCES
            else Paragraph(summary_sentence(compared))
        )
    return Section("summary", _("In short"), tuple(blocks))


def notices(report: StudyReport) -> list[str]:
    """Return what nobody may miss: that answers are simulated, and that numbers are kept back."""
    found = []
    if simulated := report.participants.simulated:
        said = ngettext(
            "%(n)d evaluator is simulated: these are not results about people.",
            "%(n)d evaluators are simulated: these are not results about people.",
            simulated,
        )
        found.append(said % {"n": simulated})
    if report.sealed:
        found.append(
            _(
                "Evaluators are still answering, so no number by method is shown to anybody, nor in any file."
                " The numbers appear when the study is closed."
            )
        )
    return found


def plan_sentence(report: StudyReport) -> str:
    """Say whether there is a plan and whether it was kept to."""
    if report.plan is None:
        return _("No plan of the analysis is locked.")
    count = len(report.deviations_from_plan)
    if not count:
        return _("The analysis was planned before the first answer, and done so.")
    said = ngettext(
        "The analysis was planned before the first answer; the report names %(n)d deviation.",
        "The analysis was planned before the first answer; the report names %(n)d deviations.",
        count,
    )
    return said % {"n": count}


def primary_table(report: StudyReport, analysis: Analysis) -> Table:
    """Return every pair on the primary criterion: difference, interval, p-value after correction."""
    labels = report.study.method_labels
    compared = [one for one in analysis.comparisons if one.criterion == analysis.primary]
    return Table(
        _("Differences on the primary criterion, %(criterion)s, in points")
        % {"criterion": report.criterion(analysis.primary).label},
        (_("Pair"), _("Difference"), _("95 % CI"), _("p (Holm)")),
        tuple(
            (
                pair_label(one, labels)
                if one.is_planned
                else _("%(pair)s (exploratory)") % {"pair": pair_label(one, labels)},
                number_cell(one.estimate, signed(one.estimate)),
                interval(one.crossed.ci, with_sign=True),
                p_cell(one.p_holm),
            )
            for one in compared
        ),
    )
