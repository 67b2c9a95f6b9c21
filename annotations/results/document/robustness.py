"""The primary question asked by other methods, and how far the evaluators agree."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.results.document.findings import pair_label
from annotations.results.document.ordinal import ordinal_blocks
from annotations.results.document.wording import cell, count_cell, in_a_row, interval, p_cell
from stats.analysis import Analysis
from stats.cluster import ClusterRobustMean
from stats.exact import FLIPS_DRAWN
from stats.mixed import CrossedMean
from stats.ratings.alpha import RESAMPLES
from stats.reports.document import Block, Cell, Paragraph, Section, Table
from stats.reports.numbers import DASH, count, decimal, signed
from stats.reports.study_report import StudyReport
from stats.resampling import BootstrapInterval
from stats.significance import Comparison


def robustness_section(report: StudyReport, analysis: Analysis) -> Section:
    """Ask the primary question by other methods."""
    labels = report.study.method_labels
    p_rows: list[tuple[Cell, ...]] = []
    interval_rows: list[tuple[Cell, ...]] = []
    drawn = 0
    for one in analysis.comparisons:
        if one.criterion != analysis.primary:
            continue
        checks = one.robustness
        cluster, bootstrap = checks.cluster_robust, checks.bootstrap
        flips, prompt_flips = checks.sign_flip_evaluators, checks.sign_flip_prompts
        wilcoxon = checks.wilcoxon_evaluators
        pair = pair_label(one, labels)
        drawn += any(test is not None and not test.is_exact for test in (flips, prompt_flips, wilcoxon))
        p_rows.append(
            (
                pair,
                p_cell(one.crossed.p),
                p_cell(cluster.p if cluster else None),
                p_cell(flips.p if flips else None),
                p_cell(wilcoxon.p if wilcoxon else None),
                p_cell(prompt_flips.p if prompt_flips else None),
                _("yes") if one.conclusion_depends_on_method else _("no"),
            )
        )
        interval_rows.append(
            (
                pair,
                own_result(one.crossed),
                own_result(cluster),
                difference_cell(flips.estimate if flips else None),
                difference_cell(wilcoxon.estimate if wilcoxon else None),
                difference_cell(prompt_flips.estimate if prompt_flips else None),
                own_result(one.page_difference),
                own_result(bootstrap),
                interval(one.leave_one_out.estimate_range, with_sign=True),
            )
        )
    note = _(
        "The primary question asked by other methods. The conclusion depends on the method where cluster-robust errors,"
        " sign flips of evaluators, the bootstrap or the ordinal check disagree with the primary test at .05; of the"
        " first three those count whose estimate is the primary one within a tenth of its standard error, since another"
        " estimate answers another question. Sign flips of prompts hold these evaluators fixed, so they speak of these"
        " alone."
    )
    if drawn:
        of_flips = ngettext(
            "In %(n)d pair the flips were too many to count, so %(flips)s of them were drawn.",
            "In %(n)d pairs the flips were too many to count, so %(flips)s of them were drawn.",
            drawn,
        ) % {"n": drawn, "flips": count(FLIPS_DRAWN)}
        note = in_a_row(note, of_flips)
    return Section(
        "robustness",
        _("Robustness"),
        (
            Paragraph(note),
            Table(
                _("p-values of the primary comparisons by method of analysis"),
                (
                    _("Pair"),
                    _("Primary analysis"),
                    _("Cluster-robust"),
                    _("Sign flips"),
                    _("Wilcoxon"),
                    _("Flips of prompts"),
                    _("Depends on method"),
                ),
                tuple(p_rows),
            ),
            Table(
                _(
                    "Their estimates and intervals (95 %), and the range of the difference when each evaluator is"
                    " left out in turn"
                ),
                (
                    _("Pair"),
                    _("Primary analysis"),
                    _("Cluster-robust"),
                    _("Sign flips"),
                    _("Wilcoxon"),
                    _("Flips of prompts"),
                    _("Whole pages alone"),
                    _("Bootstrap"),
                    _("One evaluator left out"),
                ),
                tuple(interval_rows),
            ),
            *ordinal_blocks(report),
        ),
    )


def difference_cell(value: float | None) -> Cell:
    return cell(value, signed(value))


def own_result(mean: CrossedMean | ClusterRobustMean | BootstrapInterval | None) -> Cell:
    """Return the estimate of one analysis with its interval, where there is one."""
    if mean is None or mean.estimate is None:
        return DASH
    own = f" [{interval(mean.ci, with_sign=True)}]" if mean.ci else ""
    return cell(mean.estimate, signed(mean.estimate) + own)


def agreement_section(report: StudyReport, analysis: Analysis) -> Section:
    """Say how far the evaluators agree with each other."""
    label = {criterion.key: criterion.label for criterion in report.study.criteria}
    rows = []
    for measures in analysis.agreement:
        icc, concordance = measures.icc, measures.kendall_w
        rows.append(
            (
                label[measures.criterion],
                with_interval(measures.alpha_ordinal, measures.alpha_intervals.ordinal),
                with_interval(measures.alpha_interval, measures.alpha_intervals.interval),
                cell(
                    icc.icc_2_1 if icc else None,
                    f"{decimal(icc.icc_2_1)} [{interval(icc.icc_2_1_ci)}]" if icc else None,
                ),
                cell(
                    icc.icc_2_k if icc else None,
                    f"{decimal(icc.icc_2_k)} [{interval(icc.icc_2_k_ci)}]" if icc else None,
                ),
                cell(concordance.w if concordance else None),
            )
        )
    blocks: list[Block] = [
        Table(
            _("Agreement by criterion: 1 is perfect, 0 is chance"),
            (
                _("Criterion"),
                _("α ordinal"),
                _("α interval"),
                "ICC(2,1)",
                "ICC(2,k)",
                _("Kendall's W"),
            ),
            tuple(rows),
        ),
        Paragraph(
            _(
                "α is Krippendorff's, its intervals (95 %%) are from %(resamples)s resamples of the prompts."
                " ICC(2,1) is of one evaluator, ICC(2,k) of the mean of as many as a text had. A high ICC(2,k) says"
                " that the mean rating of a text is stable; it does not make a difference between methods significant."
            )
            % {"resamples": count(RESAMPLES)}
        ),
    ]
    if analysis.group_agreement:
        blocks += group_tables(analysis, label)
    return Section("agreement", _("Agreement between evaluators"), tuple(blocks))


def group_tables(analysis: Analysis, label: dict[str, str]) -> list[Block]:
    """Give the agreement inside each group of evaluators, and by how much the groups differ in it."""
    return [
        Table(
            _("Ordinal α inside each group of evaluators"),
            (_("Criterion"), _("Group"), _("Evaluators"), _("α ordinal")),
            tuple(
                (
                    label[found.criterion],
                    one.group,
                    count_cell(one.evaluators),
                    with_interval(one.ordinal, one.ci),
                )
                for found in analysis.group_agreement
                for one in found.groups
            ),
        ),
        Table(
            _("Differences between groups, over the same prompts"),
            (_("Criterion"), _("Groups"), _("Difference of α"), _("95 % CI")),
            tuple(
                (
                    label[found.criterion],
                    f"{one.b} − {one.a}",
                    difference_cell(one.difference),
                    interval(one.ci, with_sign=True),
                )
                for found in analysis.group_agreement
                for one in found.differences
            ),
        ),
        Paragraph(
            _(
                "Where groups agree less with each other than among themselves, they may rightly judge otherwise: that"
                " is a result, and no fault of theirs."
            )
        ),
    ]


def with_interval(value: float | None, ci: tuple[float, float] | None) -> Cell:
    """Return a number with its interval, where there is one."""
    return cell(value, f"{decimal(value)} [{interval(ci)}]" if ci else decimal(value))


def exclusions_section(report: StudyReport, analysis: Analysis) -> Section | None:
    """Set the primary result beside the one with everybody's ratings."""
    if not report.without_exclusions:
        return None
    labels = report.study.method_labels
    counted = {(one.a, one.b): one for one in analysis.comparisons if one.criterion == analysis.primary}
    return Section(
        "exclusions",
        _("With and without exclusions"),
        (
            Table(
                _("The primary comparisons on valid evaluators, and on everybody who rated anything"),
                (
                    _("Pair"),
                    _("Valid"),
                    _("95 % CI"),
                    "p",
                    _("Everybody"),
                    _("95 % CI"),
                    "p",
                ),
                tuple(
                    (
                        pair_label(everybody, labels),
                        *both_results(counted[everybody.a, everybody.b], everybody),
                    )
                    for everybody in report.without_exclusions
                ),
            ),
        ),
    )


def both_results(valid: Comparison, everybody: Comparison) -> list[Cell]:
    """Return the cells of a pair: difference, interval and p-value of each of the two results."""
    cells: list[Cell] = []
    for one in (valid, everybody):
        cells += [
            cell(one.estimate, signed(one.estimate)),
            interval(one.crossed.ci, with_sign=True),
            p_cell(one.crossed.p),
        ]
    return cells
