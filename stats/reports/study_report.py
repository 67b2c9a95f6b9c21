"""What the report of a study holds; its fields are the keys of the JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from stats.reports.quality_facts import QualityFacts, SelfAgreement

if TYPE_CHECKING:
    from stats.analysis import Analysis
    from stats.cases import CaseKind
    from stats.checklists.items import ChecklistFacts
    from stats.comparisons.preferences import Preferences
    from stats.groups.compared import GroupsCompared
    from stats.judges.checks import JudgeChecks
    from stats.ordinal.check import OrdinalCheck
    from stats.ordinal.severity import Severity
    from stats.published import ByMethodAndCriterion
    from stats.ratings.choice import Planned
    from stats.ratings.slices import Slice
    from stats.significance import Comparison
    from stats.spans.facts import SpanFacts
    from stats.turns.facts import TurnFacts


@dataclass(frozen=True)
class CriterionFacts:
    """A criterion as readers of the report see it."""

    key: str
    label: str
    minimum: float
    maximum: float
    is_overall: bool
    lower_is_better: bool = False


@dataclass(frozen=True)
class StudyFacts:
    """What was evaluated, and by which rule evaluators count."""

    slug: str
    title: str
    genre: str
    text_language: str
    prompts: int
    methods: tuple[str, ...]
    method_labels: dict[str, str]
    criteria: tuple[CriterionFacts, ...]
    inconsistency_threshold: float
    has_best_picks: bool = True
    # What evaluators were asked, and how many of a prompt's texts shared a page; None where all did.
    protocol: str = "ratings"
    candidates_per_page: int | None = None
    # How evaluators saw the texts, and how many of all methods and prompts there are none of.
    normalisation: str = "none"
    rendering: str = "plain"
    missing_texts: int = 0
    is_closed: bool = False
    # How many texts by one method for a prompt there are at most, each on a page of its own.
    samples: int = 1


@dataclass(frozen=True)
class Excluded:
    """An evaluator whose answers do not count, and why."""

    evaluator: str
    reason: Literal["unfinished", "inconsistent"]
    pages_answered: int
    pages_inconsistent: int


@dataclass(frozen=True)
class Participants:
    """The funnel from recruited to valid. `simulated` of the recruited are no people."""

    recruited: int
    finished: int
    valid: int
    simulated: int
    excluded: tuple[Excluded, ...]


@dataclass(frozen=True)
class Reportable:
    """One of the numbered things that a paper should report: whether the site says it, and where."""

    number: int
    key: str
    what: str
    is_said: bool
    where: str


OffScalePolicy = Literal["kept", "missing"]


@dataclass(frozen=True)
class OffScale:
    """Scores of valid evaluators that the scale does not have, and whether they were kept or taken as missing."""

    count: int
    policy: OffScalePolicy


@dataclass(frozen=True)
class PublishedP:
    """The published one-sided p-value against 'a is at least as good as b'; None where it is undefined."""

    null: str
    a: str
    b: str
    criterion: str
    p: float | None


@dataclass(frozen=True)
class Published:
    """Means, deviations and p-values by the formulas of the published studies."""

    means: ByMethodAndCriterion
    deviations: ByMethodAndCriterion
    p_values: tuple[PublishedP, ...]


@dataclass(frozen=True)
class PlanFacts:
    """The plan that was locked before the first answer; pairs are method keys, a before b in the study's order.

    `digest` is the SHA-256 of `document`, written as JSON in UTF-8 with sorted keys and no spaces.
    """

    primary_criterion: str
    comparisons: tuple[tuple[str, str], ...]
    inconsistency_threshold: float
    off_scale: Literal["kept", "missing"]
    equivalence_margin: float | None
    planned_effect: float | None
    analysis: Planned
    planned_evaluators: int | None
    planned_prompts: int
    judge: str
    judge_version: str
    judge_use: Literal["", "checks", "combined"]
    judge_set_aside: tuple[str, ...]
    notes: str
    locked_at: str
    locked_by: str
    digest: str
    document: dict[str, Any]
    # A grouping and two of its groups, in words; what comparisons of texts are adjusted for, None: everything.
    group_comparisons: tuple[tuple[str, str, str], ...] = ()
    covariates: tuple[str, ...] | None = None


@dataclass(frozen=True)
class JudgeFacts:
    """
    A program that rated, what was said of its scores, and what came of the checks, one a criterion.

    `planned` is what the locked plan says of it: its use, 'another version', or None where it is not in the plan;
    `set_aside` counts the prompts of which it says that the judge's own prompt was written by them.
    """

    key: str
    label: str
    kind: Literal["imported", "metric", "served"]
    version: str
    saw_answers: Literal["yes", "no", "unknown"]
    sampling: Literal["all", "random", "chosen"]
    planned: Literal["checks", "combined", "another version"] | None
    scores: int
    set_aside: int
    checks: tuple[JudgeChecks, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the facts with the checks, ready for JSON."""
        plain = asdict(replace(self, checks=()))
        return plain | {"checks": [one.as_dict() for one in self.checks]}

    def with_judge(self) -> list[dict[str, Any]]:
        """Return the estimates of people and judge together, one a pair of methods, ready for JSON."""
        return [
            {"judge": self.key, "criterion": one.criterion, "a": pair.a, "b": pair.b, **pair.mean.as_dict()}
            for one in self.checks
            for pair in one.combined
        ]


@dataclass(frozen=True)
class DrawnPromptFacts:
    """A prompt that could be drawn: its chance, its stratum if there are strata, and whether it was."""

    prompt: str
    stratum: str
    chance: float
    drawn: bool


@dataclass(frozen=True)
class PromptDrawFacts:
    """How the prompts that people rate were drawn: `drawn` of `prompts`, by whom ("" on the command line) and when."""

    by: Literal["uniform", "variance", "diversity", "disagreement"]
    strata: str
    drawn: int
    prompts: int
    seed: int
    who: str
    at: str
    chances: tuple[DrawnPromptFacts, ...]


@dataclass(frozen=True)
class UnblindingFacts:
    """Who opened the numbers of a study that still took answers, why and when (ISO 8601)."""

    by: str
    reason: str
    at: str


@dataclass(frozen=True)
class ElsewhereFacts:
    """Where ratings come from that were not collected here; the plan of their analysis came after them.

    `files` are names with their SHA-256.
    """

    kind: Literal["ratings", "pairs", "spans"]
    files: tuple[tuple[str, str], ...]
    imported_at: str
    names_evaluators: bool
    everybody_counts: bool
    has_positions: bool
    self_agreement: tuple[SelfAgreement, ...]


@dataclass(frozen=True)
class CaseFacts:
    """A prompt shown in the report with the texts of all methods, and their mean ratings on the primary criterion.

    `size` is the gain over the other methods, or the deviation between evaluators of a split.
    """

    kind: CaseKind
    page: str
    prompt: str
    method: str
    size: float
    means: dict[str, float | None]
    texts: dict[str, str]
    # What its owner calls the prompt, and by what it is grouped.
    prompt_id: str = ""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Software:
    """What made the report; the seed is that of the bootstrap."""

    evalsite: str
    python: str
    numpy: str
    scipy: str
    seed: int


@dataclass(frozen=True)
class StudyReport:
    """The report of one study.

    Of a sealed study everything that tells methods apart is empty, as it is by default here.
    """

    study: StudyFacts
    participants: Participants
    scores_collected: int
    off_scale: OffScale
    sealed: bool
    unblinded: tuple[UnblindingFacts, ...]
    plan: PlanFacts | None
    deviations_from_plan: tuple[str, ...]
    software: Software
    published: Published = Published(means={}, deviations={}, p_values=())
    best_choices: dict[str, int] = field(default_factory=dict)
    # None where there is nothing to analyse yet, or the study is sealed.
    analysis: Analysis | None = None
    # The primary comparisons on everybody who rated anything, in the order of the analysis.
    without_exclusions: tuple[Comparison, ...] = ()
    cases: tuple[CaseFacts, ...] = ()
    # By the tags of prompts, and which tags have too many values for that.
    slices: tuple[Slice, ...] = ()
    uncut_tags: tuple[str, ...] = ()
    reportable: tuple[Reportable, ...] = ()
    # None where the ratings were collected here.
    collected_elsewhere: ElsewhereFacts | None = None
    # The primary comparisons with scores as ordered categories, and how strict evaluators are.
    ordinal: OrdinalCheck | None = None
    severity: Severity | None = None
    # The methods by comparisons of their texts, where pages were judged as a whole.
    preferences: Preferences | None = None
    # The items of a checklist, where that was asked.
    checklist: ChecklistFacts | None = None
    # The errors that were marked, where they were.
    spans: SpanFacts | None = None
    # The ratings of single turns of dialogues, where there are any.
    turns: TurnFacts | None = None
    # Programs that rated; none while the study is sealed.
    judges: tuple[JudgeFacts, ...] = ()
    prompt_draw: PromptDrawFacts | None = None

    # How carefully people answered; None where nothing of that was declared.
    quality: QualityFacts | None = None
    # Groups of evaluators set beside each other; none while the study is sealed.
    groups: tuple[GroupsCompared, ...] = ()

    def criterion(self, key: str) -> CriterionFacts:
        """Return a criterion of the study."""
        return next(criterion for criterion in self.study.criteria if criterion.key == key)

    def as_dict(self) -> dict[str, Any]:
        """Return plain dictionaries and lists, ready for JSON; the analysis stands beside the other keys."""
        bare = replace(
            self,
            analysis=None,
            without_exclusions=(),
            slices=(),
            ordinal=None,
            severity=None,
            preferences=None,
            judges=(),
            quality=None,
            groups=(),
            turns=None,
        )
        plain = asdict(bare)
        del plain["analysis"]
        plain["without_exclusions"] = [comparison.as_dict() for comparison in self.without_exclusions]
        plain["ordinal"] = None if self.ordinal is None else self.ordinal.as_dict()
        plain["preferences"] = None if self.preferences is None else self.preferences.as_dict()
        plain["severity"] = None if self.severity is None else self.severity.as_dict()
        plain["quality"] = None if self.quality is None else self.quality.as_dict()
        plain["turns"] = None if self.turns is None else self.turns.as_dict()
        plain["groups"] = [one.as_dict() for one in self.groups]
        del plain["judges"]
        plain["judge_checks"] = [one.as_dict() for one in self.judges]
        plain["with_judge"] = [row for one in self.judges for row in one.with_judge()]
        plain["slices"] = [one.as_dict() for one in self.slices]
        if self.analysis is None:
            return plain | {"comparisons": [], "agreement": {}, "ranking": [], "evaluators": []}
        return plain | self.analysis.as_dict()
