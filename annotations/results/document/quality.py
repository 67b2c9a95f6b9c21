"""The part of a report on how carefully people answered: declared beforehand, and no rule of who counts."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.results.document.findings import pair_label
from annotations.results.document.robustness import both_results
from annotations.results.document.wording import cell, count_cell, in_a_row
from annotations.results.quality.wording import flag_words, rule_sentences
from stats.analysis import Analysis
from stats.reports.document import Block, Cell, Paragraph, Section, Table
from stats.reports.numbers import DASH, decimal, percent
from stats.reports.quality_facts import EvaluatorChecks, QualityFacts, QualityRules, SelfAgreement
from stats.reports.study_report import StudyReport


def quality_section(report: StudyReport) -> Section | None:
    """Give each check by evaluator, their agreement with themselves, and the results without those who are flagged."""
    quality = report.quality
    if quality is None:
        return None
    blocks: list[Block] = [
        Paragraph(in_a_row(*rule_sentences(quality.rules))),
        Paragraph(_("None of these checks leaves anybody out: only the rule of the study does.")),
        checks_table(quality),
    ]
    if quality.self_agreement:
        labels = {criterion.key: criterion.label for criterion in report.study.criteria}
        blocks.append(self_agreement_table(labels, quality.self_agreement))
    if report.analysis is not None:
        blocks += without_flagged_blocks(report, report.analysis, quality)
    return Section("quality", _("Quality control"), tuple(blocks))


def checks_table(quality: QualityFacts) -> Table:
    rules = quality.rules
    heads = [_("Evaluator")]
    if rules.training_pages:
        heads.append(_("Training: attempts"))
    if rules.known_pages:
        heads.append(_("Known answers right"))
    if rules.has_flags:
        heads += [_("Hasty pages"), _("Straight lines"), _("Pages left"), _("Minutes away"), _("Pasted")]
    heads.append(_("Flags"))
    return Table(
        _("Checks by evaluator, of everybody who answered"),
        tuple(heads),
        tuple(check_row(one, rules) for one in quality.evaluators),
    )


def check_row(one: EvaluatorChecks, rules: QualityRules) -> tuple[Cell, ...]:
    """Return the cells of an evaluator: what is declared of the checks."""
    cells: list[Cell] = [one.evaluator]
    if rules.training_pages:
        cells.append(count_cell(one.training_attempts))
    if rules.known_pages:
        cells.append(of(one.known_right, one.known))
    if rules.has_flags:
        cells += [
            of(one.hasty, one.timed),
            of(one.straight, one.rated),
            of(one.left, one.pages),
            cell(one.seconds_away / 60, decimal(one.seconds_away / 60, 1)),
            count_cell(one.pasted),
        ]
    cells.append(", ".join(flag_words(flag) for flag in one.flags) or DASH)
    return tuple(cells)


def of(some: int, of_all: int) -> Cell:
    """Return a number of pages of all, as a share in the workbook."""
    return cell(some / of_all if of_all else None, f"{some}/{of_all}")


def self_agreement_table(labels: Mapping[str, str], found: tuple[SelfAgreement, ...]) -> Table:
    """Give the agreement with oneself on pages that came again, over all evaluators and of each."""
    return Table(
        _("Agreement of evaluators with themselves on pages that came again; the first showing counts"),
        (
            _("Evaluator"), _("Criterion"), _("Texts"), _("Identical"), _("Mean difference (points)"),
            _("κ quadratic"), _("α ordinal"), _("α interval"),
        ),
        tuple(
            (
                one.evaluator or _("everybody"), labels[one.criterion], count_cell(one.texts),
                cell(one.identical, percent(one.identical)), cell(one.mean_difference), cell(one.kappa),
                cell(one.alpha_ordinal), cell(one.alpha_interval),
            )
            for one in found
        ),
    )  # fmt: skip


def without_flagged_blocks(report: StudyReport, analysis: Analysis, quality: QualityFacts) -> list[Block]:
    """Set every result beside the one without the evaluators who are flagged."""
    if not quality.flagged:
        return [Paragraph(_("Nobody is flagged."))]
    if not quality.without_flagged:
        return [Paragraph(_("Nobody who counts is flagged, or everybody is: the results stand alone."))]
    labels = report.study.method_labels
    label = {criterion.key: criterion.label for criterion in report.study.criteria}
    counted = {(one.criterion, one.a, one.b): one for one in analysis.comparisons}
    means = {(one.criterion, one.method): one.crossed for one in analysis.means}
    left_out = ngettext(
        "A sensitivity line: %(n)d evaluator is flagged. The results are those of the study's rule.",
        "A sensitivity line: %(n)d evaluators are flagged. The results are those of the study's rule.",
        len(quality.flagged),
    ) % {"n": len(quality.flagged)}
    return [
        Paragraph(left_out),
        Table(
            _("Means with and without the evaluators who are flagged"),
            (_("Criterion"), _("Method"), _("With"), _("Without")),
            tuple(
                (
                    label[one.criterion],
                    labels[one.method],
                    cell(means[one.criterion, one.method].estimate),
                    cell(one.crossed.estimate),
                )
                for one in quality.means_without_flagged
            ),
        ),
        Table(
            _("Differences with and without the evaluators who are flagged"),
            (
                _("Criterion"), _("Pair"), _("With"), _("95 % CI"), "p", _("Without"), _("95 % CI"), "p",
            ),
            tuple(
                (
                    label[one.criterion],
                    pair_label(one, labels),
                    *both_results(counted[one.criterion, one.a, one.b], one),
                )
                for one in quality.without_flagged
            ),
        ),
    ]  # fmt: skip
