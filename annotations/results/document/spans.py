"""What a report says of the errors that were marked: by method, by kind, and how far evaluators agree on them."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from annotations.results.document.wording import cell, count_cell, in_a_row, interval
from stats.mixed import CrossedMean
from stats.reports.document import Block, Cell, Paragraph, Section, Table
from stats.reports.numbers import DASH, decimal, percent
from stats.reports.study_report import StudyReport
from stats.spans.agreement import CharacterAgreement
from stats.spans.facts import Kind, SpanFacts


def spans_section(report: StudyReport) -> Section | None:
    """Say how many errors were marked, of which kinds, in the texts of which method, and how far marks agree."""
    found = report.spans
    if found is None:
        return None
    blocks: list[Block] = [
        Paragraph(how(found)),
        methods_table(report, found),
        kinds_table(report, found),
        agreement_table(found),
    ]
    return Section("spans", _("Errors marked in the texts"), tuple(blocks))


def how(found: SpanFacts) -> str:
    """Say what was counted."""
    return in_a_row(
        _("%(marks)d errors were marked in %(markings)d readings of a text by an evaluator.")
        % {"marks": found.marks, "markings": found.markings},
        _("Penalties are per text, lower ones are better; their intervals allow for evaluators and prompts.")
        if found.penalty or found.penalty_per_100
        else "",
    )


def methods_table(report: StudyReport, found: SpanFacts) -> Table:
    """Give for each method its errors and penalties, with the intervals of the analysis."""
    rows: list[tuple[Cell, ...]] = []
    for one in found.methods:
        cells: list[Cell] = [
            report.study.method_labels[one.method],
            count_cell(one.markings),
            cell(one.per_text, decimal(one.per_text)),
            cell(one.without, percent(one.without)),
        ]
        for criterion in (found.penalty, found.penalty_per_100):
            if criterion is not None:
                cells += mean_cells(report, criterion, one.method)
        rows.append(tuple(cells))
    head = [_("Method"), _("Readings"), _("Errors a text"), _("Texts without any")]
    if found.penalty is not None:
        head += [_("Penalty"), _("95 % CI")]
    if found.penalty_per_100 is not None:
        head += [_("Penalty per 100 characters"), _("95 % CI")]
    return Table(_("Errors and penalties by method"), tuple(head), tuple(rows))


def mean_cells(report: StudyReport, criterion: str, method: str) -> list[Cell]:
    """Return a method's mean on a criterion, and its interval."""
    means = report.analysis.means if report.analysis is not None else ()
    mean: CrossedMean | None = next(
        (one.crossed for one in means if (one.criterion, one.method) == (criterion, method)), None
    )
    if mean is None:
        return [DASH, DASH]
    return [cell(mean.estimate), interval(mean.ci)]


def kinds_table(report: StudyReport, found: SpanFacts) -> Table:
    """Give the errors a text of each kind by method."""
    labels = report.study.method_labels
    rows: list[tuple[Cell, ...]] = []
    for kinds, which in ((found.categories, "by_category"), (found.severities, "by_severity")):
        for kind in kinds:
            by_method = [getattr(one, which)[kind.key] for one in found.methods]
            rows.append(
                (
                    kind.label,
                    penalty_text(kind),
                    count_cell(kind.marks),
                    *(cell(one, decimal(one)) for one in by_method),
                )
            )
    head = (
        pgettext("of an error", "Kind"),
        _("Penalty"),
        _("Marks"),
        *(labels[one.method] for one in found.methods),
    )
    return Table(_("Errors a text by category, then by severity, and method"), head, tuple(rows))


def penalty_text(kind: Kind) -> str:
    """Return what an error of a category costs, from the lightest to the gravest."""
    if kind.penalties is None:
        return DASH
    return " / ".join(f"{penalty:g}" for penalty in kind.penalties.values())


def agreement_table(found: SpanFacts) -> Table:
    """Give character F1 and alpha, of all marks and of each kind."""
    rows = [(_("all"), found.agreement)]
    rows += [(kind.label, kind.agreement) for kind in (*found.categories, *found.severities)]
    head = (pgettext("of an error", "Kind"), _("Texts"), _("F1"), _("95 % CI"), _("α nominal"), _("95 % CI"))
    return Table(
        _("Agreement on which characters are wrong, among evaluators of the same text"),
        head,
        tuple(agreement_row(label, one) for label, one in rows),
    )


def agreement_row(label: str, found: CharacterAgreement) -> tuple[Cell, ...]:
    return (
        label,
        count_cell(found.texts),
        cell(found.f1),
        interval(found.f1_ci),
        cell(found.alpha),
        interval(found.alpha_ci),
    )
