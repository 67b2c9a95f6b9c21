"""What a report says of how carefully a study was answered; its fields are the keys of the JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from stats.analysis import MethodMean
    from stats.significance import Comparison

Flag = Literal["known answers", "hasty", "straight lines", "left", "pasted"]


@dataclass(frozen=True)
class QualityRules:
    """What was declared before the launch; `known_pages` and `training_pages` count pages of the study."""

    known_pages: int
    known_answer_share: float
    repeats_per_subtask: int
    training_pages: int
    training_share: float | None
    training_attempts: int
    has_flags: bool
    hasty_seconds: int
    flag_share: float
    # So many pages in a row that are answered alike are a straight line; None where texts are rated, and a page is one.
    pages_in_line: int | None = None


@dataclass(frozen=True)
class SelfAgreement:
    """
    How the second scores that evaluators gave the same texts agree with their first ones, on one criterion.

    Of one evaluator where one is named. `kappa` has quadratic weights.
    """

    criterion: str
    texts: int
    identical: float
    mean_difference: float
    alpha_ordinal: float | None
    alpha_interval: float | None
    kappa: float | None = None
    evaluator: str = ""


@dataclass(frozen=True)
class EvaluatorChecks:
    """
    The checks of one evaluator: pages of each kind, how many of them were so, and what flags that raises.

    `timed` pages have a time and `rated` ones several ratings in full. A flag is None where it is not declared.
    """

    evaluator: str
    known: int
    known_right: int
    timed: int
    hasty: int
    rated: int
    straight: int
    pages: int
    left: int
    seconds_away: float
    pasted: int
    training_attempts: int
    training_passed: bool
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class QualityFacts:
    """The checks of a study, and its results without the evaluators who are flagged; these are a sensitivity line."""

    rules: QualityRules
    evaluators: tuple[EvaluatorChecks, ...] = ()
    self_agreement: tuple[SelfAgreement, ...] = ()
    # Of valid evaluators alone; empty while the study is sealed, or where nobody or everybody is flagged.
    means_without_flagged: tuple[MethodMean, ...] = ()
    without_flagged: tuple[Comparison, ...] = ()

    @property
    def flagged(self) -> tuple[str, ...]:
        """The evaluators with a flag."""
        return tuple(one.evaluator for one in self.evaluators if one.flags)

    def as_dict(self) -> dict[str, Any]:
        """Return the facts, ready for JSON."""
        return {
            "rules": asdict(self.rules),
            "evaluators": [asdict(one) | {"flags": list(one.flags)} for one in self.evaluators],
            "self_agreement": [asdict(one) for one in self.self_agreement],
            "flagged": list(self.flagged),
            "means_without_flagged": [one.as_dict() for one in self.means_without_flagged],
            "without_flagged": [one.as_dict() for one in self.without_flagged],
        }
