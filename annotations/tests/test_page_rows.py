"""What is read of one page by prepared statements is what Django's own queries read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.forms.models import model_to_dict
from django.utils import timezone

from annotations.models import Enrolment, Study
from annotations.questionnaire.page_rows import find_enrolment
from annotations.tests.cast import build_user


@pytest.mark.parametrize("state", Study.State.values)
@pytest.mark.parametrize("days_left", [-1, 1])
def test_an_enrolment_is_read_as_those_who_answer_are(
    enrolment: Enrolment, state: str, days_left: int
) -> None:
    study = enrolment.study
    Study.objects.update(state=state, title={"en": "Poems", "zh-hans": "诗"})
    Enrolment.objects.update(deadline=timezone.now() + timedelta(days=days_left), form_answers={"age": "30"})

    found = find_enrolment(enrolment.evaluator_id, study.slug)

    expected = Enrolment.objects.answering(enrolment.evaluator).get()
    assert found is not None
    assert model_to_dict(found) == model_to_dict(expected)
    assert model_to_dict(found.study) == model_to_dict(expected.study)
    assert type(found.study.title) is type(expected.study.title)
    assert found.is_over == expected.is_over
    assert vars(found)["is_open"] == vars(expected)["is_open"] == (state == "open" and days_left > 0)


@pytest.mark.parametrize("source", [Enrolment.Source.IMPORTED, Enrolment.Source.SIMULATED])
def test_nobody_answers_for_what_was_imported_or_simulated(enrolment: Enrolment, source: str) -> None:
    Enrolment.objects.update(source=source)

    assert find_enrolment(enrolment.evaluator_id, enrolment.study.slug) is None


def test_nobody_reads_the_enrolment_of_another(enrolment: Enrolment) -> None:
    assert find_enrolment(build_user("other").pk, enrolment.study.slug) is None
    assert find_enrolment(enrolment.evaluator_id, "other-study") is None
