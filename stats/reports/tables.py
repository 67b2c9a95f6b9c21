"""A study's report as one tidy CSV table, safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from stats.reports.write_rows import Columns, Row, Value, csv_chunks

if TYPE_CHECKING:
    from stats.analysis import Analysis
    from stats.comparisons.preferences import Preferences
    from stats.groups.compared import GroupsCompared
    from stats.reports.quality_facts import QualityFacts
    from stats.reports.study_report import PromptDrawFacts, StudyReport
    from stats.turns.facts import TurnFacts


COLUMNS: Columns = {
    "table": "text", "criterion": "text", "method": "text", "other_method": "text", "value": "real",
}  # fmt: skip


def tidy_rows(report: StudyReport) -> Iterator[Row]:
    """Yield the numbers of the report, one a row, in `COLUMNS`."""
    people = report.participants
    yield "recruited", None, None, None, people.recruited
    yield "finished", None, None, None, people.finished
    yield "valid", None, None, None, people.valid
    yield "simulated", None, None, None, people.simulated
    yield "scores_collected", None, None, None, report.scores_collected
    yield "off_scale", None, None, None, report.off_scale.count
    yield "sealed", None, None, None, int(report.sealed)
    for name, cells in (("mean", report.published.means), ("deviation", report.published.deviations)):
        for method, by_criterion in cells.items():
            for criterion, value in by_criterion.items():
                yield name, criterion, method, None, value
    for test in report.published.p_values:
        yield "p_value_at_least_as_good", test.criterion, test.a, test.b, test.p
    for method, picks in report.best_choices.items():
        yield "best_choices", None, method, None, picks
    if report.analysis is not None:
        yield from analysis_rows(report.analysis)
    if report.ordinal is not None:
        check = report.ordinal.as_dict()
        for contrast in check["contrasts"]:
            for column, number in flat("ordinal", contrast):
                yield column, check["criterion"], contrast["a"], contrast["b"], number
    if report.severity is not None:
        found = report.severity.as_dict()
        for one in found["evaluators"]:
            for column, number in flat(f"severity.{one['evaluator']}", one):
                yield column, found["criterion"], None, None, number
        for average in found["fair_averages"]:
            for column, number in flat("fair_average", average):
                yield column, found["criterion"], average["method"], None, number
        yield (
            "severity.separation_reliability",
            found["criterion"],
            None,
            None,
            found["separation_reliability"],
        )
    if report.prompt_draw is not None:
        yield from draw_rows(report.prompt_draw)
    for judge in report.judges:
        for checks in judge.checks:
            for row in checks.as_dict()["checks"]:
                yield f"judge.{judge.key}.{row['check']}", checks.criterion, None, None, row["value"]
        for estimate in judge.with_judge():
            for column, number in flat(f"with_judge.{judge.key}", estimate):
                yield column, estimate["criterion"], estimate["a"], estimate["b"], number
    if report.preferences is not None:
        yield from preference_rows(report.preferences)
    if report.turns is not None:
        yield from turn_rows(report.turns)
    if report.quality is not None:
        yield from quality_rows(report.quality)
    for compared in report.groups:
        yield from group_rows(compared)
    for part in report.slices:
        name = f"slice.{part.tag}={part.value}"
        yield f"{name}.prompts", None, None, None, part.prompts
        for mean in part.means:
            for column, number in flat(f"{name}.crossed_mean", mean.crossed.as_dict()):
                yield column, mean.criterion, mean.method, None, number
        for comparison in part.comparisons:
            for column, number in flat(f"{name}.difference", comparison.as_dict()):
                yield column, comparison.criterion, comparison.a, comparison.b, number


def draw_rows(draw: PromptDrawFacts) -> Iterator[Row]:
    """Yield how the prompts that people rate were drawn, and the chance of each."""
    yield f"prompt_draw.by={draw.by}.who={draw.who}.seed", None, None, None, draw.seed
    for one in draw.chances:
        prefix = f"prompt_draw.stratum={one.stratum}" if draw.strata else "prompt_draw"
        yield f"{prefix}.chance.{one.prompt}", None, None, None, one.chance
        yield f"{prefix}.drawn.{one.prompt}", None, None, None, int(one.drawn)


def quality_rows(quality: QualityFacts) -> Iterator[Row]:
    """Yield the checks of each evaluator, and every result without those who are flagged."""
    for one in quality.evaluators:
        for name, value in flat(f"quality.{one.evaluator}", asdict(one)):
            yield name, None, None, None, value
        yield f"quality.{one.evaluator}.is_flagged", None, None, None, int(bool(one.flags))
    for own in quality.self_agreement:
        for name, value in flat(f"self_agreement.{own.evaluator or 'all'}", asdict(own)):
            yield name, own.criterion, None, None, value
    for mean in quality.means_without_flagged:
        for name, value in flat("without_flagged.mean", mean.crossed.as_dict()):
            yield name, mean.criterion, mean.method, None, value
    for comparison in quality.without_flagged:
        for name, value in flat("without_flagged.difference", comparison.as_dict()):
            yield name, comparison.criterion, comparison.a, comparison.b, value


def turn_rows(found: TurnFacts) -> Iterator[Row]:
    """Yield the means of methods turn by turn, and how they change."""
    yield "turns.ratings", None, None, None, found.ratings
    for one in found.criteria:
        for of in one.methods:
            for turn, mean in enumerate(of.by_turn, start=1):
                for name, value in flat(f"turns.{turn}", mean.as_dict()):
                    yield name, one.criterion, of.method, None, value
            for name, value in flat("turns.change", of.change.as_dict()):
                yield name, one.criterion, of.method, None, value


def group_rows(found: GroupsCompared) -> Iterator[Row]:
    """Yield the means of each group, and the differences of the groups' differences."""
    for group in found.groups:
        prefix = f"group.{found.name}={group.group}"
        yield f"{prefix}.evaluators", None, None, None, group.evaluators
        for mean in group.means:
            for name, value in flat(f"{prefix}.crossed_mean", mean.crossed.as_dict()):
                yield name, mean.criterion, mean.method, None, value
    for one in found.differences:
        prefix = f"group_difference.{found.name}.{one.groups[0]}.{one.groups[1]}"
        for name, value in flat(
            prefix, one.crossed.as_dict() | {"p_holm": one.p_holm, "planned": one.is_planned}
        ):
            yield name, found.criterion, one.a, one.b, value


def preference_rows(preferences: Preferences) -> Iterator[Row]:
    """Yield the numbers of comparisons of texts."""
    found = preferences.as_dict()
    criterion = found["criterion"]
    for of_method in (*found.pop("strengths"), *found.pop("best_worst")):
        for name, value in flat("preference", of_method):
            yield name, criterion, of_method["method"], None, value
    for effect in found.pop("effects"):
        for name, value in flat(f"preference.{effect['name']}", effect):
            yield name, criterion, None, None, value
    for name, value in flat("preferences", found):
        yield name, criterion, None, None, value


def analysis_rows(analysis: Analysis) -> Iterator[Row]:
    """Yield the numbers of the analysis; a difference is that of the other method less the method."""
    for mean in analysis.means:
        for name, value in flat("crossed_mean", mean.crossed.as_dict()):
            yield name, mean.criterion, mean.method, None, value
        yield "rating_mean", mean.criterion, mean.method, None, mean.raw
        yield "rating_deviation", mean.criterion, mean.method, None, mean.deviation
        for score, count in mean.counts:
            yield f"ratings_of.{score:g}", mean.criterion, mean.method, None, count
    for picks in analysis.picks:
        yield "best_pick_share.count", None, picks.method, None, picks.count
        for name, value in flat("best_pick_share", picks.crossed.as_dict()):
            yield name, None, picks.method, None, value
    for comparison in analysis.comparisons:
        for name, value in flat("difference", comparison.as_dict()):
            yield name, comparison.criterion, comparison.a, comparison.b, value
    for measures in analysis.agreement:
        for name, value in flat("agreement", measures.as_dict()):
            yield name, measures.criterion, None, None, value
    for of_groups in analysis.group_agreement:
        for one in of_groups.groups:
            yield f"alpha_ordinal.{one.group}", of_groups.criterion, None, None, one.ordinal
        for between in of_groups.differences:
            name = f"alpha_difference.{between.a}.{between.b}"
            yield name, of_groups.criterion, None, None, between.difference
    for table, ranking in (
        ("ranking", analysis.ranking),
        ("ranking_by_rating", analysis.ranking_by_rating),
    ):
        for ranked in ranking.methods if ranking else ():
            for name, value in flat(table, asdict(ranked)):
                yield name, None, ranked.method, None, value
    for pair in analysis.power:
        for name, value in flat("power", pair.as_dict()):
            yield name, analysis.primary, pair.a, pair.b, value


def flat(name: str, value: Any) -> Iterator[tuple[str, Value]]:
    """Yield the numbers inside nested dictionaries and lists, named by the way to them; words are left out."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(f"{name}.{key}", inner)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from flat(f"{name}.{index}", inner)
    elif value is None or isinstance(value, bool | int | float):
        yield name, int(value) if isinstance(value, bool) else value


def tidy_csv(report: StudyReport) -> bytes:
    """Return the report as a tidy table in CSV."""
    return b"".join(csv_chunks(COLUMNS, tidy_rows(report)))
