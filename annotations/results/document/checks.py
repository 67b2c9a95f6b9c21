"""The second half of a report: how far the result can be trusted."""

from __future__ import annotations

from django.utils.translation import gettext as _

from annotations import counted
from annotations.results.document.findings import inconsistent_heading, judges_picks
from annotations.results.document.ordinal import severity_blocks
from annotations.results.document.wording import cell, count_cell, in_a_row, interval
from generation.files.problems import listed
from stats.analysis import Analysis
from stats.position import WaldTest
from stats.power import power_curve
from stats.quality import LOW_CORRELATION
from stats.reports.document import Block, Cell, Figure, Paragraph, Section, Table
from stats.reports.figures import Curve, curve_plot
from stats.reports.numbers import DASH, decimal, p_words, percent, signed
from stats.reports.study_report import StudyReport

# The numbers of evaluators over which the power is drawn.
EVALUATORS_DRAWN = range(6, 61, 2)


def position_section(report: StudyReport, analysis: Analysis) -> Section | None:
    """Say whether the place at which a text stood moved its rating or its chance to be picked."""
    position = analysis.position
    # Where two texts or a few of many shared a page, its place is one of what moves the strength of a text.
    if position is None or report.preferences is not None:
        return None
    places = [chr(ord("A") + place) for place in range(len(position.picks))]
    effects = position.effects or (None,) * len(places)
    of_ratings = test_sentence(_("Ratings by position: %(test)s."), position.ratings_test)
    with_picks = report.study.has_best_picks and any(position.picks)
    if not with_picks and all(mean is None for mean in position.means):
        return None
    if with_picks:
        caption = _("Best picks and mean ratings by displayed position")
        head: tuple[str, ...] = (_("Best picks"),)
        of_picks = test_sentence(_("Best picks by position: %(test)s."), position.picks_test)
        tests = in_a_row(of_picks, of_ratings)
    else:
        caption, head, tests = _("Mean ratings by displayed position"), (), of_ratings
    adjusted = tuple(
        (
            f"{report.study.method_labels[one.b]} − {report.study.method_labels[one.a]}",
            cell(one.estimate, signed(one.estimate)),
            interval(one.ci, with_sign=True),
        )
        for one in position.adjusted_differences
    )
    blocks: list[Block] = [
        Table(
            caption,
            (_("Position"), *head, _("Mean rating"), _("Effect on the rating")),
            tuple(
                (
                    place,
                    *([count_cell(picks)] if with_picks else ()),
                    cell(mean),
                    cell(effect, signed(effect)),
                )
                for place, picks, mean, effect in zip(
                    places, position.picks, position.means, effects, strict=True
                )
            ),
        ),
        Paragraph(tests),
    ]
    if adjusted:
        blocks.append(
            Table(
                _("Primary differences with the effects of the positions taken out"),
                (_("Pair"), _("Difference"), _("95 % CI")),
                adjusted,
            )
        )
    return Section("position", _("Position bias"), tuple(blocks))


def test_sentence(sentence: str, test: WaldTest | None) -> str:
    """Return the sentence with the result of an F test, or with the word that there was none."""
    if test is None:
        return sentence % {"test": _("not tested")}
    return sentence % {"test": f"F({test.df[0]}, {test.df[1]}) = {decimal(test.f)}, {p_words(test.p)}"}


def ranking_section(report: StudyReport, analysis: Analysis) -> Section | None:
    """Rank the methods by their best picks, or where nobody was asked for one by which of two was rated better."""
    ranking = analysis.ranking if report.study.has_best_picks else analysis.ranking_by_rating
    if ranking is None or report.study.protocol != "ratings":
        return None
    if report.study.has_best_picks:
        title = _("Ranking from best picks")
        caption = _("Bradley-Terry strengths (log odds), with the ranks that the picks leave open")
        note = _(
            "A pick is a win over every other candidate of the page. Errors allow for evaluators and prompts."
        )
    else:
        title = _("Ranking from ratings")
        caption = _("Bradley-Terry strengths (log odds), with the ranks that the ratings leave open")
        note = _(
            "Of two candidates of a page the one with the better primary rating wins; a tie is half a win for each."
            " Errors allow for evaluators and prompts."
        )
    labels = report.study.method_labels
    return Section(
        "ranking",
        title,
        (
            Table(
                caption,
                (_("Method"), _("Strength"), _("SE"), _("Ranks")),
                tuple(
                    (
                        labels[one.method],
                        cell(one.strength, signed(one.strength)),
                        cell(one.se),
                        str(one.rank_low)
                        if one.rank_low == one.rank_high
                        else f"{one.rank_low}{DASH}{one.rank_high}",
                    )
                    for one in ranking.methods
                ),
            ),
            Paragraph(note),
        ),
    )


def evaluators_section(report: StudyReport, analysis: Analysis) -> Section:
    """Describe every evaluator who counts."""
    flagged = [one.evaluator for one in analysis.quality if one.disagrees_with_others]
    blocks: list[Block] = [
        Paragraph(_("Only the rule declared beforehand excludes; what stands here describes.")),
        Table(
            _("Signs of care, by evaluator"),
            (
                _("Evaluator"),
                _("Correlation with the others"),
                *inconsistent_heading(report),
                _("Straight-lined pages"),
                _("Off-scale scores"),
                _("Median seconds a page"),
            ),
            tuple(
                (
                    one.evaluator,
                    cell(one.leave_one_out_r),
                    *((count_cell(one.pages_inconsistent),) if judges_picks(report) else ()),
                    cell(one.straight_lined, percent(one.straight_lined)),
                    count_cell(one.off_scale),
                    cell(one.median_seconds, decimal(one.median_seconds, 0)),
                )
                for one in analysis.quality
            ),
        ),
    ]
    if flagged:
        blocks.append(
            Paragraph(
                _("Correlated with the others below %(low)s: %(evaluators)s.")
                % {"low": f"{LOW_CORRELATION:.1f}", "evaluators": listed(flagged)},
                is_notice=True,
            )
        )
    blocks += severity_blocks(report)
    return Section("evaluators", _("Evaluators"), tuple(blocks))


def power_section(report: StudyReport, analysis: Analysis) -> Section | None:
    """Say what this study could find, and what would be needed to find a planned effect."""
    if not analysis.power:
        return None
    labels = report.study.method_labels
    bottleneck = {"evaluators": _("evaluators"), "prompts": _("prompts")}
    effect = analysis.power[0].power.effect
    head = [
        _("Pair"),
        _("SE"),
        _("Smallest effect found with power .8"),
        _("Share of variance: evaluators"),
        _("prompts"),
        _("Bottleneck"),
    ]
    if effect is not None:
        head += [_("Power"), _("Evaluators needed"), _("Prompts needed")]
    rows: list[tuple[Cell, ...]] = []
    for pair in analysis.power:
        power = pair.power
        cells: list[Cell] = [
            f"{labels[pair.b]} − {labels[pair.a]}",
            cell(power.se),
            cell(power.minimum_detectable_effect),
            cell(power.share_evaluators, percent(power.share_evaluators)),
            cell(power.share_prompts, percent(power.share_prompts)),
            bottleneck[power.bottleneck],
        ]
        if effect is not None:
            cells += [cell(power.power), count_cell(pair.evaluators_needed), count_cell(pair.prompts_needed)]
        rows.append(tuple(cells))
    blocks: list[Block] = [
        Paragraph(
            _(
                "From the variance components of the primary differences. The bottleneck is the one of which more"
                " would help most. Power is given for an effect set beforehand; at the observed difference it would"
                " say no more than the p-value."
            )
        ),
        Table(_("What this study could find"), tuple(head), tuple(rows)),
    ]
    figure = power_figure(report, analysis)
    return Section("power", _("Power"), (*blocks, figure) if figure else tuple(blocks))


def power_figure(report: StudyReport, analysis: Analysis) -> Figure | None:
    """Draw the power over numbers of evaluators and prompts, for the pair that varies most."""
    pair = max(analysis.power, key=lambda one: one.power.se)
    mean = analysis.comparison(analysis.primary, pair.a, pair.b).crossed
    effect = pair.power.effect or 1.0
    if mean.variance is None:
        return None
    evaluators = list(EVALUATORS_DRAWN)
    curves = []
    for prompts in (analysis.prompts // 2, analysis.prompts, 2 * analysis.prompts):
        if prompts < 2:
            continue
        powers = power_curve(mean.variance, evaluators=evaluators, prompts=[prompts], effect=effect)
        curves.append(Curve(counted.prompts(prompts), [one.power or 0.0 for one in powers]))
    labels = report.study.method_labels
    words = {"effect": decimal(effect, 1), "pair": f"{labels[pair.b]} − {labels[pair.a]}"}
    return Figure(
        name="power",
        svg=curve_plot(evaluators, curves, x_label=_("Evaluators"), y_label=_("Power"), target=0.8),
        caption=_(
            "Power to find a difference of %(effect)s points with the components of %(pair)s, the pair that varies"
            " most."
        )
        % words,
        alternative="; ".join(
            _("%(label)s: power %(first)s with %(fewest)s, %(last)s with %(most)d")
            % {
                "label": curve.label,
                "first": decimal(curve.values[0]),
                "last": decimal(curve.values[-1]),
                "fewest": counted.evaluators(evaluators[0]),
                "most": evaluators[-1],
            }
            for curve in curves
        ),
    )
