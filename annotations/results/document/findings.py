"""The first half of a report: who took part, the primary result, the means, and what exclusions changed."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.protocols.table import PROTOCOLS
from annotations.results.document.distributions import distribution_figure
from annotations.results.document.wording import (
    ALPHA,
    analysis_sentences,
    cell,
    comparison_sentence,
    count_cell,
    in_a_row,
    interval,
    p_cell,
    scope,
)
from stats.analysis import MOST_COMPARISONS, Analysis
from stats.reports.document import Block, Cell, Figure, Paragraph, Section, Table
from stats.reports.figures import ForestRow, forest_plot
from stats.reports.numbers import MINUS, decimal, exact_percent, percent, signed
from stats.reports.study_report import CriterionFacts, StudyReport
from stats.significance import Comparison

# Pairs that have a sentence each.
MOST_SENTENCES = 28


def pair_label(comparison: Comparison, labels: dict[str, str]) -> str:
    """Return the pair as its difference is taken: the later method less the earlier."""
    return f"{labels[comparison.b]} − {labels[comparison.a]}"


def participants_section(report: StudyReport) -> Section:
    """Say how many were recruited, finished and count, and why the others do not."""
    people = report.participants
    blocks: list[Block] = []
    counts = (
        report.study.prompts,
        len(report.study.methods),
        people.recruited,
        people.finished,
        people.valid,
        report.scores_collected,
    )
    blocks.append(
        Table(
            _("From recruited to valid, with the scores on each criterion that count"),
            (
                _("Study"),
                _("Prompts"),
                _("Methods"),
                _("Recruited"),
                _("Finished"),
                _("Valid"),
                _("Scores collected")
                if PROTOCOLS[report.study.protocol].answer is None
                else _("Pages judged"),
            ),
            ((report.study.title, *(count_cell(count) for count in counts)),),
        )
    )
    blocks.append(Paragraph(rule_of_validity(report)))
    if people.excluded:
        reasons = {"unfinished": _("unfinished"), "inconsistent": _("inconsistent")}
        blocks.append(
            Table(
                _("Evaluators who do not count"),
                (_("Evaluator"), _("Reason"), _("Pages answered"), *inconsistent_heading(report)),
                tuple(
                    (
                        excluded.evaluator,
                        reasons[excluded.reason],
                        count_cell(excluded.pages_answered),
                        *((count_cell(excluded.pages_inconsistent),) if judges_picks(report) else ()),
                    )
                    for excluded in people.excluded
                ),
            )
        )
    if not report.sealed and not people.valid:
        blocks.append(Paragraph(why_nothing(report), is_notice=True))
    return Section("participants", _("Participants"), tuple(blocks))


def judges_picks(report: StudyReport) -> bool:
    """Whether a page can be inconsistent: its pick is held against the overall ratings."""
    return report.study.has_best_picks and any(one.is_overall for one in report.study.criteria)


def inconsistent_heading(report: StudyReport) -> tuple[str, ...]:
    """Return the heading of the column of inconsistent pages; none where there is nothing to be inconsistent."""
    return (_("Pages inconsistent"),) if judges_picks(report) else ()


def why_nothing(report: StudyReport) -> str:
    """Say that nobody is valid, and of a study that goes on when there will be numbers."""
    if report.study.is_closed:
        return _("The study is closed and no evaluator is valid, so there is nothing to report.")
    return _(
        "No evaluator is valid yet, so there is nothing to report. Numbers appear here when the first one has finished."
    )


def rule_of_validity(report: StudyReport) -> str:
    """Say who counts: by the best picks where there are any and an overall rating to compare them with."""
    study = report.study
    if report.collected_elsewhere is not None and report.collected_elsewhere.everybody_counts:
        return _("Everybody who rated anything counts.")
    if not study.has_best_picks or not any(criterion.is_overall for criterion in study.criteria):
        return _("An evaluator is valid who answered everything.")
    return _(
        "An evaluator is valid who answered everything and whose best pick had a lower overall rating"
        " than another candidate on at most %(percent)s of the pages."
    ) % {"percent": exact_percent(float(study.inconsistency_threshold))}


def primary_section(report: StudyReport, analysis: Analysis) -> Section:
    """State the primary result for each pair, in a sentence and in a forest plot."""
    labels = report.study.method_labels
    criterion = report.criterion(analysis.primary)
    comparisons = [one for one in analysis.comparisons if one.criterion == analysis.primary]
    choice = analysis.choice(analysis.primary)
    blocks: list[Block] = [
        Paragraph(
            in_a_row(
                _("Primary criterion: %(criterion)s (%(minimum)s to %(maximum)s).")
                % {
                    "criterion": criterion.label,
                    "minimum": criterion.minimum,
                    "maximum": criterion.maximum,
                },
                *([_("Lower scores are better.")] if criterion.lower_is_better else ()),
                *(
                    analysis_sentences(choice, is_judged=PROTOCOLS[report.study.protocol].answer is not None)
                    if choice
                    else ()
                ),
            )
        )
    ]
    if any(comparison.descriptive_only for comparison in comparisons):
        blocks.append(
            Paragraph(
                _(
                    "Too few evaluators or prompts (a test needs 2 evaluators, or 6 to speak of others, and 10"
                    " prompts): the numbers describe these ratings and are not tested."
                ),
                is_notice=True,
            )
        )
    if any("few_degrees_of_freedom" in comparison.warnings for comparison in comparisons):
        blocks.append(
            Paragraph(
                _("A comparison rests on fewer than 4 degrees of freedom: read its interval with caution."),
                is_notice=True,
            )
        )
    if len(comparisons) > MOST_SENTENCES:
        blocks.append(Paragraph(summary_sentence(comparisons)))
    blocks += [
        Paragraph(comparison_sentence(comparison, labels))
        for comparison in comparisons
        if len(comparisons) <= MOST_SENTENCES
    ]
    rows = [
        ForestRow(
            label=pair_label(comparison, labels),
            estimate=comparison.estimate,
            ci=comparison.crossed.ci,
            words=f"{signed(comparison.estimate)} ({interval(comparison.crossed.ci, with_sign=True)})",
        )
        for comparison in comparisons
        if comparison.estimate is not None
    ]
    if rows:
        blocks.append(
            Figure(
                name="forest",
                svg=forest_plot(
                    rows,
                    axis_label=_("Difference in %(criterion)s (points)") % {"criterion": criterion.label},
                ),
                caption=_(
                    "Differences with confidence intervals (95 %). Where an interval covers zero, either method may"
                    " be the better one."
                ),
                alternative="; ".join(f"{row.label}: {row.words}" for row in rows),
            )
        )
    return Section("primary", _("Primary result"), tuple(blocks))


def summary_sentence(comparisons: Sequence[Comparison]) -> str:
    """Say how many of many pairs differ, where a sentence for each would be read by nobody."""
    established = sum(one.p_holm is not None and one.p_holm < ALPHA for one in comparisons)
    return _(
        "%(scope)s, the data establish a difference in %(established)d of %(pairs)d pairs (Holm p < .05). Each pair"
        " stands in the figure, and with its test in the first table of ‘All comparisons’."
    ) % {"scope": scope(comparisons[0]), "pairs": len(comparisons), "established": established}


def means_section(report: StudyReport, analysis: Analysis) -> Section:
    """Give the mean of each method on each criterion, the best picks, and all ratings as they fell."""
    study = report.study
    mean_of = {(mean.method, mean.criterion): mean for mean in analysis.means}
    picks = {picks.method: picks for picks in analysis.picks}
    rows = []
    for method in study.methods:
        cells: list[Cell] = []
        for criterion in study.criteria:
            crossed = mean_of[method, criterion.key].crossed
            text = decimal(crossed.estimate)
            if crossed.ci is not None:
                text += f" [{interval(crossed.ci)}]"
            cells.append(cell(crossed.estimate, text))
        if study.has_best_picks:
            share = picks[method].crossed.estimate
            cells.append(cell(picks[method].count, f"{picks[method].count} ({percent(share)})"))
        rows.append((study.method_labels[method], *cells))
    head = [scale_label(criterion) for criterion in study.criteria]
    if study.has_best_picks:
        caption = _("Mean ratings with crossed confidence intervals (95 %), and best picks with their share")
        head.append(_("Best picks"))
    else:
        caption = (
            _("Mean ratings with crossed confidence intervals (95 %)")
            if study.protocol == "ratings"
            else _("Mean scores with crossed confidence intervals (95 %)")
        )
    blocks: list[Block] = [Table(caption, (_("Method"), *head), tuple(rows))]
    if any(mean.crossed.method == "ratings model" for mean in analysis.means):
        blocks += given_means(report, analysis)
    if report.off_scale.count:
        blocks.append(Paragraph(off_scale_sentence(report)))
    if study.protocol != "ratings":
        return Section(
            "means", _("Scores"), (Paragraph(str(PROTOCOLS[study.protocol].methods_text)), *blocks)
        )
    blocks.append(distribution_figure(report, analysis))
    return Section("means", _("Ratings"), tuple(blocks))


def given_means(report: StudyReport, analysis: Analysis) -> list[Block]:
    """Set the means of the ratings as they were given beside those of the model."""
    raw = {(mean.method, mean.criterion): mean.raw for mean in analysis.means}
    study = report.study
    return [
        Paragraph(
            _(
                "These means are the model's, which allows for who rated what: they lie as far apart as the differences"
                " above. The means of the ratings as they were given mix methods with evaluators and prompts."
            )
        ),
        Table(
            _("Means of the ratings as they were given"),
            (_("Method"), *(scale_label(criterion) for criterion in study.criteria)),
            tuple(
                (
                    study.method_labels[method],
                    *(cell(raw[method, criterion.key]) for criterion in study.criteria),
                )
                for method in study.methods
            ),
        ),
    ]


def scale_label(criterion: CriterionFacts) -> str:
    """Return a criterion with its scale, and its direction where that is not the usual one."""
    parts = {
        "label": criterion.label,
        "scale": f"{criterion.minimum}–{criterion.maximum}".replace("-", MINUS),
    }
    if criterion.lower_is_better:
        return _("%(label)s (%(scale)s, lower is better)") % parts
    return "{label} ({scale})".format(**parts)


def off_scale_sentence(report: StudyReport) -> str:
    """Say how many scores the scale does not have, and what was done with them."""
    count = report.off_scale.count
    found = ngettext(
        "%(n)d imported score lies off its scale (a cleared star stored as 0).",
        "%(n)d imported scores lie off their scale (cleared stars stored as 0).",
        count,
    ) % {"n": count}
    done = {"kept": _("They are kept as found."), "missing": _("They are taken as missing.")}
    return in_a_row(found, done[report.off_scale.policy])


def secondary_section(report: StudyReport, analysis: Analysis) -> Section:
    """Give every pair on every criterion: difference, test, correction and probability of superiority."""
    labels = report.study.method_labels
    tables = []
    for criterion in report.study.criteria:
        if criterion.key in analysis.not_compared:
            continue
        comparisons = [one for one in analysis.comparisons if one.criterion == criterion.key]
        caption = (_("%(criterion)s (primary)") if criterion.key == analysis.primary else "%(criterion)s") % {
            "criterion": criterion.label
        }
        tables.append(
            Table(
                caption,
                (
                    _("Pair"),
                    _("Difference"),
                    _("95 % CI"),
                    "t",
                    "df",
                    "p",
                    _("p (Holm)"),
                    _("Superiority"),
                    "d",
                ),
                tuple(
                    (
                        pair_label(one, labels),
                        cell(one.estimate, signed(one.estimate)),
                        interval(one.crossed.ci, with_sign=True),
                        cell(one.crossed.t),
                        cell(one.crossed.df, decimal(one.crossed.df, 1)),
                        p_cell(one.crossed.p),
                        p_cell(one.p_holm),
                        cell(one.superiority.estimate),
                        cell(one.effect.d_total, signed(one.effect.d_total)),
                    )
                    for one in comparisons
                ),
            )
        )
    note = Paragraph(
        _(
            "Holm's correction holds within a criterion. Superiority is the probability that the first method is"
            " rated above the second on the same page by the same evaluator, a tie counting one half; d is the"
            " difference over the deviation of all ratings."
        )
    )
    blocks: list[Block] = [note, *tables]
    if left := len(analysis.not_compared):
        words = ngettext(
            "%(n)d criterion has means and agreement alone: of so many criteria and methods no more than %(most)s pairs"
            " are compared, the primary criterion first.",
            "%(n)d criteria have means and agreement alone: of so many criteria and methods no more than %(most)s pairs"
            " are compared, the primary criterion first.",
            left,
        )
        blocks.insert(1, Paragraph(words % {"n": left, "most": f"{MOST_COMPARISONS:,}"}, is_notice=True))
    return Section("comparisons", _("All comparisons"), tuple(blocks))
