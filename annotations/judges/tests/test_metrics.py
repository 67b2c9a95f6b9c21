"""Metrics that come with the project: their values, how they are stored, and what they need."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command

from annotations.judges.metrics import compute_metric
from annotations.models import Judge, JudgeRating, StaffAct, Study
from annotations.tests.cast import build_study
from generation.evidence.metrics import METRICS, TextToScore
from generation.models import Candidate, Prompt
from generation.refusals import Refused


def scores(metric: str, *texts: TextToScore, language: str = "en") -> list[float]:
    return METRICS[metric].compute(texts, language, lambda done, total: None)


def test_length_counts_words_or_characters_where_no_space_parts_words() -> None:
    assert scores("length", TextToScore("The cat, it sat.", "")) == [4.0]
    assert scores("length", TextToScore("春眠不觉晓，处处闻啼鸟。", ""), language="zh-Hans") == [10.0]


def test_distinct_2_is_the_share_of_different_pairs() -> None:
    found = scores("distinct-2", TextToScore("a b a b", ""), TextToScore("a", ""), TextToScore("a b c", ""))
    assert found == pytest.approx([2 / 3, 0, 1])


def test_copied_is_the_share_of_the_prompt_that_stands_in_the_text() -> None:
    assert scores("copied", TextToScore("The dog ran", "the cat")) == [0.5]
    assert scores("copied", TextToScore("春江潮水", "春夜"), language="zh") == [0.5]
    assert scores("copied", TextToScore("nothing", "")) == [0.0]


def test_chrf_and_bleu_are_full_marks_for_the_reference_itself_and_less_for_others() -> None:
    texts = (
        TextToScore("The quick brown fox jumps over it.", "", "The quick brown fox jumps over it."),
        TextToScore("A slow dog.", "", "The quick brown fox jumps over it."),
    )
    for metric in ("chrf", "bleu"):
        same, other = scores(metric, *texts)
        assert same == pytest.approx(100) and other < 25
    chinese = TextToScore("床前明月光疑是地上霜", "", "床前看月光疑是地上霜")
    # 9 of 10 characters, 7 of 9 pairs, 5 of 8 and 4 of 7 runs: the geometric mean, by hand.
    by_hand = 100 * (9 / 10 * 7 / 9 * 5 / 8 * 4 / 7) ** 0.25
    assert scores("bleu", chinese, language="zh") == [pytest.approx(by_hand)]


def test_relevance_puts_the_text_of_a_prompt_above_others() -> None:
    texts = [
        TextToScore("明月照窗人不寐，清光满地似霜寒。", "月夜"),
        TextToScore("稻花香里说丰年，听取蛙声一片。", "月夜"),
        TextToScore("千里冰封雪满山，寒梅独放一枝春。", "雪"),
        TextToScore("大江东去浪淘尽，千古风流人物。", "雪"),
    ]
    found = scores("relevance", *texts, language="zh")
    assert found[0] > found[1] and found[2] > found[3]


@pytest.fixture
def study(db: None) -> Study:
    return build_study()


def test_a_metric_is_stored_as_a_judge_of_its_own_scale_and_computed_anew_in_its_place(study: Study) -> None:
    judge = compute_metric(study, "length", by=None)
    assert (judge.kind, judge.has_own_scale, judge.saw_answers) == ("metric", True, "no")
    assert set(judge.ratings.values_list("score", flat=True)) == {20}
    assert not judge.ratings.filter(criterion__isnull=False).exists()
    compute_metric(study, "length", by=None)
    assert Judge.objects.count() == 1 and JudgeRating.objects.count() == 8
    assert StaffAct.objects.filter(act="judge.computed").count() == 2


def test_a_study_without_references_or_texts_is_told_so(study: Study) -> None:
    with pytest.raises(Refused, match="No prompt of this study has a reference"):
        compute_metric(study, "chrf", by=None)
    with pytest.raises(Refused, match="is no metric; there are relevance"):
        compute_metric(study, "beauty", by=None)
    Candidate.objects.update(text="")
    with pytest.raises(Refused, match="has no texts"):
        compute_metric(study, "length", by=None)


def test_only_prompts_with_a_reference_are_scored_against_one(study: Study) -> None:
    prompt = Prompt.objects.get(text="poems 古题 1")
    Prompt.objects.filter(pk=prompt.pk).update(parts=[{"name": "reference", "text": "山中一夜雨"}])
    judge = compute_metric(study, "chrf", by=None)
    assert judge.ratings.count() == 4
    assert np.ptp(list(judge.ratings.values_list("score", flat=True))) > 0


def test_scores_of_that_name_from_a_file_are_not_replaced(study: Study) -> None:
    Judge.objects.create(study=study, key="length", label="x", kind="imported", saw_answers="no")
    with pytest.raises(Refused, match="has scores already"):
        compute_metric(study, "length", by=None)


def test_the_command_computes_a_metric(study: Study) -> None:
    said = StringIO()
    call_command("compute_metric", study.slug, "copied", stdout=said)
    assert "copied: 8 scores (words or characters of the prompt)" in said.getvalue()
