"""Prompts that people rate are drawn with stored chances; the others stay with the judges, and in the estimate."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone

from annotations.judges.files import read_scores
from annotations.judges.metrics import compute_metric
from annotations.judges.prompt_draw import draw_prompts
from annotations.judges.tests.cast import write_scores
from annotations.models import DrawnPrompt, JudgeRating, Page, PromptDraw, Study
from annotations.plan.simulation import Effects, simulate_ratings
from annotations.results.report import study_report
from annotations.setup.pages import clear
from annotations.tests.cast import build_study
from generation.models import Candidate, Prompt
from generation.refusals import Refused


@pytest.fixture
def study(db: None) -> Study:
    """A draft of 40 prompts in four sub-tasks, whose texts have different lengths."""
    study = build_study(prompts=40, methods=3)
    Study.objects.filter(pk=study.pk).update(state="draft")
    for number, text in enumerate(Candidate.objects.order_by("pk")):
        Candidate.objects.filter(pk=text.pk).update(text=text.text + "好" * (number * 7 % 40))
    return Study.objects.get(pk=study.pk)


def test_drawn_pages_stay_with_their_scores_and_the_others_are_set_aside(study: Study) -> None:
    compute_metric(study, "length", by=None)
    before = dict(
        JudgeRating.objects.values_list("page_candidate__candidate__prompt__text")
        .order_by()
        .distinct()
        .values_list("page_candidate__candidate__prompt__text", "pk")
    )
    draw_prompts(study, by="variance", count=15, seed=3, staff=None)
    pages = Page.objects.filter(subtask__study=study)
    assert pages.count() == 15
    assert sorted(pages.values_list("subtask__number", "number")) == [
        *((1, number) for number in range(1, 11)),
        *((2, number) for number in range(1, 6)),
    ]
    assert study.subtasks.count() == 2
    assert JudgeRating.objects.count() == 120
    shown = set(pages.values_list("prompt__text", flat=True))
    aside = set(JudgeRating.objects.filter(page_candidate=None).values_list("prompt_name", flat=True))
    assert len(aside) == 25 and not shown & aside and shown | aside == set(before)
    chances = np.array(DrawnPrompt.objects.values_list("probability", flat=True))
    assert chances.sum() == pytest.approx(15) and chances.min() >= 0.5 * 15 / 40
    assert DrawnPrompt.objects.filter(is_drawn=True).count() == 15


@pytest.mark.parametrize("by", ["uniform", "variance"])
def test_the_report_infers_the_prompts_that_were_not_drawn(study: Study, by: str) -> None:
    compute_metric(study, "length", by=None)
    draw_prompts(study, by=by, count=20, seed=3, staff=None)
    Study.objects.update(state="open")
    simulate_ratings(study, evaluators=8, seed=1, effects=Effects(slip=0))
    (judge,) = study_report(Study.objects.get(pk=study.pk)).judges
    pair = judge.checks[0].combined[0].mean
    assert (pair.rated, pair.unrated) == (20, 20)
    assert pair.combined is not None and pair.combined.ci is not None


def test_strata_are_drawn_in_proportion_and_weigh_in_the_report(study: Study) -> None:
    for number, prompt in enumerate(Prompt.objects.order_by("pk")):
        Prompt.objects.filter(pk=prompt.pk).update(tags={"domain": "news" if number < 10 else "verse"})
    compute_metric(study, "length", by=None)
    draw_prompts(study, by="uniform", count=16, tag="domain", seed=3, staff=None)
    drawn = DrawnPrompt.objects.filter(is_drawn=True).values_list("stratum", flat=True)
    assert sorted(drawn) == ["news"] * 4 + ["verse"] * 12
    Study.objects.update(state="open")
    simulate_ratings(study, evaluators=8, seed=1, effects=Effects(slip=0))
    (judge,) = study_report(Study.objects.get(pk=study.pk)).judges
    combined = judge.checks[0].combined[0].mean.combined
    assert combined is not None and combined.method == "cluster-robust"


def test_scores_of_prompts_that_were_set_aside_can_be_imported_later(study: Study, tmp_path: Path) -> None:
    draw_prompts(study, by="uniform", count=20, seed=3, staff=None)
    aside = DrawnPrompt.objects.filter(is_drawn=False).values_list("name", flat=True)[0]
    path = write_scores(tmp_path / "scores.csv", [{"prompt": aside, "method": "method-0", "score": 3}])
    assert read_scores(path, study).other_prompts == 1


def test_what_cannot_be_drawn_is_refused(study: Study) -> None:
    with pytest.raises(Refused, match="No judge and no metric"):
        draw_prompts(study, by="variance", count=5, seed=1, staff=None)
    with pytest.raises(ValidationError):
        draw_prompts(study, by="uniform", count=40, seed=1, staff=None)
    with pytest.raises(Refused, match="luck is no way of drawing"):
        draw_prompts(study, by="luck", count=5, seed=1, staff=None)
    with pytest.raises(Refused, match="Strata go with a uniform draw"):
        draw_prompts(study, by="variance", count=5, tag="domain", seed=1, staff=None)
    compute_metric(study, "length", by=None)
    with pytest.raises(Refused, match="none is no judge of this study"):
        draw_prompts(study, by="variance", count=5, judges=["none"], seed=1, staff=None)
    with pytest.raises(Refused, match="too many strata"):
        draw_prompts(study, by="uniform", count=1, seed=1, staff=None)
    draw_prompts(study, by="variance", count=5, seed=1, staff=None)
    with pytest.raises(Refused, match="drawn already"):
        draw_prompts(study, by="variance", count=5, seed=1, staff=None)
    clear(study)
    assert not PromptDraw.objects.exists()


def test_a_launched_study_draws_no_more(study: Study) -> None:
    Study.objects.update(launched_at=timezone.now())
    with pytest.raises(Refused, match="has been launched"):
        draw_prompts(study, by="uniform", count=5, seed=1, staff=None)


def test_the_command_draws_and_says_its_seed(study: Study) -> None:
    said = StringIO()
    call_command("select_prompts", study.slug, by="uniform", count=10, seed=5, stdout=said)
    assert "10 of 40 prompts drawn, seed 5; the others are set aside" in said.getvalue()
