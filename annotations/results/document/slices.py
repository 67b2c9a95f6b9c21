"""The part of a report that looks at the prompts of each tag by themselves."""

from __future__ import annotations

from itertools import groupby

from django.utils.translation import gettext as _

from annotations.results.document.findings import pair_label
from annotations.results.document.wording import cell, count_cell, interval, p_cell
from stats.analysis import Analysis
from stats.ratings.slices import MOST_VALUES, Slice
from stats.reports.document import Block, Paragraph, Section, Table
from stats.reports.numbers import decimal, signed
from stats.reports.study_report import StudyReport


def slices_section(report: StudyReport, analysis: Analysis) -> Section | None:
    """Give the means and the primary comparison by the value of each tag, as an exploration."""
    if not (report.slices or report.uncut_tags):
        return None
    blocks: list[Block] = []
    if report.slices:
        blocks.append(
            Paragraph(
                _(
                    "Exploratory: no plan names these parts of the prompts. p-values are corrected by Holm over all"
                    " pairs and values of a tag; whether two parts differ from each other is not tested."
                ),
                is_notice=True,
            )
        )
    for tag, found in groupby(report.slices, key=lambda part: part.tag):
        parts = list(found)
        blocks += [means_table(report, analysis, tag, parts), differences_table(report, tag, parts)]
    blocks += [
        Paragraph(
            _("Tag %(tag)s has more than %(most)d values, so no parts are made of it.")
            % {"tag": tag, "most": MOST_VALUES}
        )
        for tag in report.uncut_tags
    ]
    return Section("slices", _("By the tags of prompts"), tuple(blocks), is_folded=True)


def means_table(report: StudyReport, analysis: Analysis, tag: str, parts: list[Slice]) -> Table:
    """Give the means on the primary criterion, a row for each value of the tag."""
    rows = []
    for part in parts:
        means = {one.method: one.crossed for one in part.means if one.criterion == analysis.primary}
        rows.append(
            (
                part.value,
                count_cell(part.prompts),
                *(
                    cell(
                        means[method].estimate,
                        f"{decimal(means[method].estimate)}{with_interval(means[method].ci)}",
                    )
                    for method in report.study.methods
                ),
            )
        )
    caption = _("Means of %(criterion)s by %(tag)s, with crossed confidence intervals (95 %%)") % {
        "criterion": report.criterion(analysis.primary).label,
        "tag": tag,
    }
    labels = (report.study.method_labels[method] for method in report.study.methods)
    return Table(caption, (tag, _("Prompts"), *labels), tuple(rows))


def with_interval(ci: tuple[float, float] | None) -> str:
    return "" if ci is None else f" [{interval(ci)}]"


def differences_table(report: StudyReport, tag: str, parts: list[Slice]) -> Table:
    """Give the primary comparison of every pair, by value of the tag."""
    return Table(
        _("Differences on the primary criterion by %(tag)s") % {"tag": tag},
        (tag, _("Pair"), _("Difference"), _("95 % CI"), "p", _("p (Holm)")),
        tuple(
            (
                part.value,
                pair_label(comparison, report.study.method_labels),
                cell(comparison.estimate, signed(comparison.estimate)),
                interval(comparison.crossed.ci, with_sign=True),
                p_cell(comparison.crossed.p),
                p_cell(comparison.p_holm),
            )
            for part in parts
            for comparison in part.comparisons
        ),
    )
