"""What a report says of the ratings of single turns: their means beside the whole, and from turn to turn."""

from __future__ import annotations

from django.utils.translation import gettext as _

from annotations.results.document.slices import with_interval
from annotations.results.document.wording import cell, count_cell, in_a_row, interval
from stats.mixed import CrossedMean
from stats.reports.document import Block, Cell, Paragraph, Section, Table
from stats.reports.numbers import DASH, decimal, signed
from stats.reports.study_report import StudyReport
from stats.turns.facts import CriterionTurns, TurnFacts


def turns_section(report: StudyReport) -> Section | None:
    """Set the mean over turns beside the score of the whole, and give the means turn by turn."""
    found = report.turns
    if found is None:
        return None
    blocks: list[Block] = [Paragraph(how(found))]
    for one in found.criteria:
        blocks += [whole_table(report, one), turn_table(report, one)]
    return Section("turns", _("Turns of the dialogues"), tuple(blocks))


def how(found: TurnFacts) -> str:
    """Say what was counted, and what the numbers are."""
    return in_a_row(
        _("%(ratings)d ratings of single turns were given; the longest dialogue has %(longest)d rated turns.")
        % {"ratings": found.ratings, "longest": found.longest},
        _(
            "The mean of the turns of a text is compared as a criterion of its own, each text weighing the same. The"
            " change is the slope over the turns of each dialogue, in points a turn. All intervals allow for evaluators"
            " and prompts."
        ),
        _(
            "Which dialogues have many turns may depend on the method, so means of late turns are exploratory."
        ),
    )


def whole_table(report: StudyReport, found: CriterionTurns) -> Table:
    """Give for each method the mean over turns, the score of the whole, and the change from turn to turn."""
    rows: list[tuple[Cell, ...]] = [
        (
            report.study.method_labels[one.method],
            count_cell(one.ratings),
            *mean_cells(mean_of(report, found.mean_criterion, one.method)),
            *mean_cells(mean_of(report, found.criterion, one.method)),
            cell(one.change.estimate, signed(one.change.estimate)),
            interval(one.change.ci, with_sign=True),
        )
        for one in found.methods
    ]
    ci = _("95 % CI")
    head = (
        _("Method"), _("Ratings of turns"), _("Mean of the turns"), ci, _("The whole"), ci, _("Change a turn"), ci,
    )  # fmt: skip
    caption = _("%(criterion)s: the turns, and the dialogue as a whole")
    return Table(caption % {"criterion": report.criterion(found.criterion).label}, head, tuple(rows))


def mean_of(report: StudyReport, criterion: str, method: str) -> CrossedMean | None:
    means = () if report.analysis is None else report.analysis.means
    return next((one.crossed for one in means if (one.criterion, one.method) == (criterion, method)), None)


def mean_cells(mean: CrossedMean | None) -> list[Cell]:
    """Return a mean and its interval."""
    return [DASH, DASH] if mean is None else [cell(mean.estimate), interval(mean.ci)]


def turn_table(report: StudyReport, found: CriterionTurns) -> Table:
    """Give the mean of each method at each turn, a row a turn."""
    turns = max((len(one.by_turn) for one in found.methods), default=0)
    rows: list[tuple[Cell, ...]] = []
    for turn in range(turns):
        means = [one.by_turn[turn] for one in found.methods]
        rows.append(
            (
                str(turn + 1),
                *(cell(one.estimate, f"{decimal(one.estimate)}{with_interval(one.ci)}") for one in means),
            )
        )
    labels = (report.study.method_labels[one.method] for one in found.methods)
    caption = _("%(criterion)s turn by turn, with crossed confidence intervals (95 %%)")
    return Table(
        caption % {"criterion": report.criterion(found.criterion).label}, (_("Turn"), *labels), tuple(rows)
    )
