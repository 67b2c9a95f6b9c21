"""The part of a report that sets groups of evaluators beside each other: where they disagree is a result."""

from __future__ import annotations

from django.utils.translation import gettext as _

from annotations.results.document.slices import with_interval
from annotations.results.document.wording import cell, count_cell, in_a_row, interval, p_cell
from stats.analysis import Analysis
from stats.groups.compared import GroupsCompared
from stats.reports.document import Block, Paragraph, Section, Table
from stats.reports.numbers import decimal, signed
from stats.reports.study_report import StudyReport


def groups_section(report: StudyReport, analysis: Analysis) -> Section | None:
    """Give the means by group, and the difference of the groups' differences with its interval."""
    if not (report.groups or not_compared(report)):
        return None
    blocks: list[Block] = [Paragraph(in_a_row(*how(report)), is_notice=True)]
    blocks += [Paragraph(sentence, is_notice=True) for sentence in not_compared(report)]
    for found in report.groups:
        blocks += [means_table(report, found), differences_table(report, found)]
    return Section(
        "groups",
        _("Groups of evaluators compared"),
        tuple(blocks),
        is_folded=all(one.is_exploratory for one in report.groups),
    )


def how(report: StudyReport) -> list[str]:
    """Say what of it was planned, and what a difference of differences is."""
    if all(found.is_exploratory for found in report.groups):
        said = [
            _("Exploratory: no plan names these groups."),
            _("p is corrected by Holm over all pairs of groups and methods."),
        ]
    else:
        said = [
            _("The plan names the comparisons that are marked as planned; all others are exploratory."),
            _(
                "p is corrected by Holm over the planned pairs of groups and methods, or over all where none is."
            ),
        ]
    return [
        *said,
        _(
            "A difference of differences says by how much more one group prefers the second method than the other group"
            " does; evaluators and prompts are crossed random effects. Where groups rightly judge otherwise, that is a"
            " result."
        ),
    ]


def not_compared(report: StudyReport) -> list[str]:
    """Name the planned pairs of groups that could not be compared."""
    planned = () if report.plan is None else report.plan.group_comparisons
    compared = {(found.name, frozenset(one.groups)) for found in report.groups for one in found.differences}
    return [
        _("Planned, but not to be compared, as each group needs three evaluators who count: %(groups)s.")
        % {"groups": f"{first} / {second} ({grouping})"}
        for grouping, first, second in planned
        if (grouping, frozenset((first, second))) not in compared
    ]


def means_table(report: StudyReport, found: GroupsCompared) -> Table:
    """Give the means of every method on the primary criterion, a row for each group."""
    caption = _("Means of %(criterion)s by %(grouping)s, with crossed confidence intervals (95 %%)") % {
        "criterion": report.criterion(found.criterion).label,
        "grouping": found.name,
    }
    rows = []
    for group in found.groups:
        means = {one.method: one.crossed for one in group.means if one.criterion == found.criterion}
        shown = [means[method] for method in report.study.methods]
        rows.append(
            (
                group.group,
                count_cell(group.evaluators),
                *(cell(one.estimate, f"{decimal(one.estimate)}{with_interval(one.ci)}") for one in shown),
            )
        )
    labels = (report.study.method_labels[method] for method in report.study.methods)
    return Table(caption, (_("Group"), _("Evaluators"), *labels), tuple(rows))


def differences_table(report: StudyReport, found: GroupsCompared) -> Table:
    """Give the difference of differences for each pair of groups and methods."""
    labels = report.study.method_labels
    return Table(
        _("Differences between methods, by %(grouping)s, and the difference of these") % {"grouping": found.name},
        (
            _("Pair"), _("Groups"), _("Plan"), _("First"), _("Second"), _("Second less first"), _("95 % CI"), "p",
            _("p (Holm)"),
        ),
        tuple(
            (
                f"{labels[one.b]} − {labels[one.a]}",
                f"{one.groups[0]} / {one.groups[1]}",
                _("planned") if one.is_planned else _("exploratory"),
                cell(one.first, signed(one.first)),
                cell(one.second, signed(one.second)),
                cell(one.crossed.estimate, signed(one.crossed.estimate)),
                interval(one.crossed.ci, with_sign=True),
                p_cell(one.crossed.p),
                p_cell(one.p_holm),
            )
            for one in found.differences
        ),
    )  # fmt: skip
