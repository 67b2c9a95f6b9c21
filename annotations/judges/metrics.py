"""Metrics that come with the project, computed for all texts of a study and stored as judges of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from annotations.access.log import log_act
from annotations.judges.files import Score
from annotations.judges.judges import MOST_JUDGES, store_scores
from annotations.judges.wording import LABELS
from annotations.models import Judge, PageCandidate, Study
from generation.evidence.metrics import METRICS, Progress, TextToScore
from generation.models import Prompt
from generation.refusals import Refused

REFERENCE = "reference"


@dataclass(frozen=True)
class StudyTexts:
    """The texts of a study, and what each score of them is of."""

    texts: tuple[TextToScore, ...]
    scores: tuple[Score, ...]


def compute_metric(study: Study, metric: str, *, by: User | None) -> Judge:
    """Compute a metric for every text of a study and store it; raise what `computed_scores` and `store_metric` do."""
    return store_metric(study, metric, computed_scores(study, metric), by=by)


def offered_metrics(study: Study) -> tuple[str, ...]:
    """Return the metrics that can be computed for a study: those against a reference where a prompt has one."""
    has_reference = Prompt.objects.filter(
        page__subtask__study=study, parts__contains=[{"name": REFERENCE}]
    ).exists()
    return tuple(key for key, metric in METRICS.items() if has_reference or not metric.needs_reference)


def computed_scores(study: Study, metric: str, progress: Progress = lambda done, total: None) -> list[Score]:
    """Return the scores of a metric for every text of a study.

    Raises `Refused` for a metric that is not known, a study without texts, or without references where they are needed.
    """
    if metric not in METRICS:
        raise Refused(
            _("%(metric)s is no metric; there are %(known)s.")
            % {"metric": metric, "known": ", ".join(METRICS)}
        )
    found = study_texts(study, with_reference=METRICS[metric].needs_reference)
    values = METRICS[metric].compute(found.texts, study.text_language, progress)
    return [score._replace(score=value) for score, value in zip(found.scores, values, strict=True)]


def study_texts(study: Study, *, with_reference: bool) -> StudyTexts:
    """Return all texts of a study, or those with a reference; raise `Refused` where there is none."""
    texts, scores = [], []
    shown = PageCandidate.objects.but_repeats(study).select_related("candidate", "page__prompt")
    for one in shown.order_by("pk"):
        prompt = one.page.prompt
        reference = dict(prompt.content.parts).get(REFERENCE, "")
        if not one.candidate.text.strip() or (with_reference and not reference.strip()):
            continue
        texts.append(TextToScore(one.candidate.text, prompt.heading, reference))
        scores.append(Score(one.pk, "", one.study_method_id, None, 1, None, 0.0))
    if not texts:
        raise Refused(
            _("No prompt of this study has a reference.") if with_reference else _("This study has no texts.")
        )
    return StudyTexts(tuple(texts), tuple(scores))


@transaction.atomic
def store_metric(study: Study, metric: str, scores: list[Score], *, by: User | None) -> Judge:
    """Store the scores of a metric as those of a judge, in place of what it had."""
    Study.objects.locked(study, no_key=True)
    known = study.judges.filter(key=metric).first()
    if known is not None and known.kind != Judge.Kind.METRIC:
        raise Refused(
            _("The judge %(key)s has scores already: say that they are to be replaced, or take another name.")
            % {"key": metric}
        )
    if known is not None:
        known.delete()
    elif study.judges.count() >= MOST_JUDGES:
        raise Refused(_("A study has at most %(most)d judges.") % {"most": MOST_JUDGES})
    judge = Judge.objects.create(
        study=study,
        key=metric,
        label=str(LABELS[metric]),
        kind=Judge.Kind.METRIC,
        version=METRICS[metric].version,
        saw_answers=Judge.SawAnswers.NO,
        has_own_scale=True,
        created_by=by,
    )
    store_scores(judge, scores)
    log_act(study, by, "judge.computed", judge=metric, scores=len(scores))
    return judge
