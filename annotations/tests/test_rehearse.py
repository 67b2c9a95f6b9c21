from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from annotations.models import AnswerChange, Enrolment, Rating, Study
from annotations.plan.rehearsal import rehearse
from annotations.plan.simulation import Effects
from annotations.results.report import study_report
from annotations.tests.cast import build_study


def test_a_rehearsal_answers_a_copy_through_the_save_path_and_leaves_the_study_alone(study: Study) -> None:
    copy = rehearse(study, evaluators=2, effects=Effects(), seed=1)
    assert copy.slug == "poems-rehearsal-1"
    assert not study.enrolments.exists()
    # 2 evaluators x 2 pages x (4 candidates x 2 criteria + 1 pick), each saved once, each with its history.
    assert Rating.objects.filter(enrolment__study=copy).count() == 2 * 2 * 8
    assert AnswerChange.objects.filter(enrolment__study=copy).count() == 2 * 2 * 9
    report = study_report(copy)
    assert (report.participants.finished, report.participants.simulated) == (2, 2)


def test_a_rehearsal_ends_closed_and_its_evaluators_cannot_log_in(study: Study) -> None:
    copy = Study.objects.get(pk=rehearse(study, evaluators=1, effects=Effects(), seed=1).pk)
    assert copy.state == Study.State.CLOSED
    enrolment = Enrolment.objects.select_related("evaluator").get(study=copy)
    assert enrolment.source == Enrolment.Source.SIMULATED
    assert not enrolment.evaluator.is_active
    assert enrolment.deadline > timezone.now()


def test_a_second_rehearsal_has_a_name_of_its_own(study: Study) -> None:
    for number in (1, 2):
        assert rehearse(study, evaluators=1, effects=Effects(), seed=1).slug == f"poems-rehearsal-{number}"


def test_a_rehearsal_shows_every_prompt_and_candidate_of_the_study(db: None) -> None:
    study = build_study(prompts=12)
    copy = rehearse(study, evaluators=1, effects=Effects(), seed=1)

    def shown(one: Study) -> list[tuple[int, int, int, str]]:
        return list(
            one.subtasks.values_list(
                "number", "pages__number", "pages__page_candidates__candidate",
                "pages__page_candidates__study_method__method__key",
            ).order_by("number", "pages__number", "pages__page_candidates__candidate")
        )  # fmt: skip

    assert shown(copy) == shown(study)
    assert list(copy.criteria.values_list("key", "maximum")) == list(
        study.criteria.values_list("key", "maximum")
    )


def test_the_command_prints_the_result_and_the_power_and_writes_the_report(db: None, tmp_path: Path) -> None:
    build_study(prompts=10)
    output = io.StringIO()
    call_command(
        "rehearse", "poems", evaluators=6, effect=2.0, output=tmp_path / "report.html", stdout=output
    )
    text = output.getvalue()
    assert "6 simulated evaluators" in text
    assert "Across new evaluators and new prompts like these" in text
    assert "power" in text
    assert "simulated" in (tmp_path / "report.html").read_text()


def test_the_command_refuses_an_unknown_study_and_no_evaluators(study: Study) -> None:
    with pytest.raises(CommandError, match="lost: no such study"):
        call_command("rehearse", "lost", evaluators=1, effect=1.0)
    with pytest.raises(CommandError, match="evaluators must be at least 1, got 0"):
        call_command("rehearse", "poems", evaluators=0, effect=1.0)
    assert Study.objects.count() == 1
