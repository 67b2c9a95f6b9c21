"""The authors' records: the poem study as it was published, and a QA study in the same formats."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import TestCase

from annotations.imports.published_records import as_asked
from annotations.models import (
    Assignment,
    BestChoice,
    Criterion,
    Enrolment,
    Page,
    Placement,
    Rating,
    Study,
)
from annotations.setup.rubrics import load_rubric
from annotations.tests.records import POEM_APP, QA_APP, QA_METHODS, Files, evaluator, shifted_tags
from generation.models import Candidate, GenerationRun, Prompt

PUBLISHED = settings.BASE_DIR.parent / "shared" / "reference" / "published_records"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def run(candidates: Path, answers: Path, *options: str, slug: str = "qa") -> str:
    output = io.StringIO()
    call_command("import_records", str(candidates), str(answers), "--slug", slug, *options, stdout=output)
    return output.getvalue()


# Those who finished the published poem study. The figures below are counts in the files, made without this code.
FINISHERS = [f"tester{number}" for number in (1, 2, 4, 5, 6, 7, 9, 10, 11)] + ["Tester3"]


@pytest.mark.skipif(
    not PUBLISHED.exists(), reason="the published records are not beside the checkout (../shared)"
)
class PublishedPoemStudyTests(TestCase):
    told: str

    @classmethod
    def setUpTestData(cls) -> None:
        cls.told = run(PUBLISHED / "poem-records.jsonl", PUBLISHED / "user-records.jsonl", slug="poems")

    def test_every_answer_is_stored(self) -> None:
        assert Enrolment.objects.filter(source="imported").count() == 11
        assert Rating.objects.filter(enrolment__pseudonym__in=FINISHERS).count() == 20_000
        assert Rating.objects.filter(enrolment__pseudonym="tester8").count() == 1_400
        assert BestChoice.objects.filter(enrolment__pseudonym="tester8").count() == 70
        assert Placement.objects.count() == 4_400
        assert Assignment.objects.count() == 110
        assert "100 prompts, 11 evaluators, 21400 ratings, 1070 best picks" in self.told

    def test_zeros_are_kept_and_counted(self) -> None:
        zeros = Rating.objects.filter(off_scale=True, enrolment__pseudonym__in=FINISHERS)
        assert zeros.count() == 14
        assert set(zeros.values_list("score", flat=True)) == {0}
        assert "14 ratings are off their scale" in self.told

    def test_best_picks_are_by_method(self) -> None:
        picked = BestChoice.objects.filter(enrolment__pseudonym__in=FINISHERS)
        assert Counter(picked.values_list("candidate__run__method__key", flat=True)) == {
            "jiuge": 307,
            "search_baseline": 11,
            "inverse_prompting": 285,
            "inverse_prompting_st": 397,
        }

    def test_the_study_is_closed_with_methods_and_criteria_in_the_order_of_the_tables(self) -> None:
        study = Study.objects.get(slug="poems")
        assert study.state == "closed"
        assert list(study.study_methods.values_list("method__key", flat=True)) == [
            "jiuge", "search_baseline", "inverse_prompting", "inverse_prompting_st",
        ]  # fmt: skip
        assert [(one.key, one.minimum, one.maximum) for one in study.criteria.all()] == [
            ("format", 1, 5), ("innovation", 1, 5), ("relevance", 1, 5), ("aesthetics", 1, 5), ("overall", 1, 10),
        ]  # fmt: skip

    def test_the_first_page_of_the_file_is_the_first_page(self) -> None:
        first = Page.objects.select_related("prompt")[0]
        assert first.prompt.text == "咏斑马"
        shown = Placement.objects.filter(enrolment__pseudonym="tester1", page=first).order_by("position")
        assert list(shown.values_list("candidate__run__method__key", flat=True)) == [
            "search_baseline", "jiuge", "inverse_prompting_st", "inverse_prompting",
        ]  # fmt: skip
        given = [scores("tester1", placement) for placement in shown]
        assert given == [[1, 2, 2, 3, 3], [5, 3, 4, 5, 8], [3, 4, 3, 4, 6], [3, 3, 5, 4, 7]]
        best = BestChoice.objects.get(enrolment__pseudonym="tester1", page=first)
        assert best.candidate.run.method.key == "jiuge"

    def test_questions_are_kept_with_the_words_at_both_ends(self) -> None:
        relevance = Criterion.objects.get(key="relevance")
        assert relevance.question["zh-hans"] == "请评价诗歌内容与标题的贴切程度"
        assert relevance.low["zh-hans"] == "与所给标题无关"
        assert relevance.high["zh-hans"] == "完美契合所给标题"
        assert "en" not in relevance.question | relevance.low

    def test_poems_stand_in_couplets_as_they_were(self) -> None:
        records = json.loads((PUBLISHED / "poem-records.jsonl").read_text(encoding="utf-8"))
        written = {
            "\n".join(group["content"])
            for task in records["app_data"]["tasks"]
            for page in task["pages"]
            for group in page["groups"]
        }
        assert set(Candidate.objects.values_list("text", flat=True)) == written

    def test_twice_changes_nothing(self) -> None:
        before = Rating.objects.count(), Candidate.objects.count(), User.objects.count()
        again = run(PUBLISHED / "poem-records.jsonl", PUBLISHED / "user-records.jsonl", slug="poems")
        assert "already imported from the same files" in again
        assert (Rating.objects.count(), Candidate.objects.count(), User.objects.count()) == before


def scores(username: str, placement: Placement) -> list[float]:
    given = Rating.objects.filter(enrolment__pseudonym=username, candidate_id=placement.candidate_id)
    return list(given.order_by("criterion__number").values_list("score", flat=True))


# Files in the format of the QA study.
def test_the_qa_study_is_told_by_its_four_criteria(db: None, files: Files) -> None:
    run(*files.write())
    study = Study.objects.get(slug="qa")
    assert [(one.key, one.maximum, one.is_overall) for one in study.criteria.all()] == [
        ("fluency", 5, False), ("informativeness", 5, False), ("relevance", 5, False), ("overall", 10, True),
    ]  # fmt: skip
    assert list(study.study_methods.values_list("method__key", flat=True)) == list(QA_METHODS.values())
    assert Prompt.objects.filter(genre="qa").count() == 100
    assert Prompt.objects.get(text="问题7？").description == "描述7"
    assert Prompt.objects.get(text="问题8？").description == ""
    assert Candidate.objects.filter(text="human的回答7，\n第二段。").exists()


def test_candidates_stand_where_everybody_saw_them(db: None, files: Files) -> None:
    run(*files.write())
    shown: dict[tuple[str, int], list[str]] = {}
    for username, subtask, page, method in Placement.objects.order_by("position").values_list(
        "enrolment__pseudonym", "page__subtask__number", "page__number", "candidate__run__method__key"
    ):
        shown.setdefault((username, 10 * (subtask - 1) + page - 1), []).append(method)
    assert shown == {
        (username, page): [QA_METHODS[tag] for tag in shifted_tags(page)]
        for username in ("ann", "Ann", "cut")
        for page in range(100)
    }


def test_evaluators_keep_what_they_answered_from_nothing_to_all(db: None, files: Files) -> None:
    run(*files.write())
    answered = Counter(Rating.objects.values_list("enrolment__pseudonym", flat=True))
    assert answered == {"ann": 1600, "cut": 47 * 16}
    assert Enrolment.objects.count() == 3
    picks = Counter(BestChoice.objects.values_list("enrolment__pseudonym", flat=True))
    assert picks == {"ann": 100, "cut": 47}


def test_names_that_differ_only_in_case_are_two_evaluators(db: None, files: Files) -> None:
    run(*files.write())
    assert set(User.objects.values_list("username", flat=True)) == {"qa/ann", "qa/Ann", "qa/cut"}
    assert not Rating.objects.filter(enrolment__pseudonym="Ann").exists()


def test_recorded_evaluators_cannot_log_in(db: None, files: Files) -> None:
    run(*files.write())
    for user in User.objects.all():
        assert not user.is_active
        assert not user.has_usable_password()


def test_a_user_of_the_same_name_stays_another_one(db: None, files: Files) -> None:
    User.objects.create_user("ann", password="her own")
    run(*files.write())
    assert not Enrolment.objects.filter(evaluator__username="ann").exists()


def test_pick_without_ratings_and_ratings_without_pick_are_kept(db: None, files: Files) -> None:
    files.page(0, 0)["answers"] = [None]
    files.page(1, 99)["answers"] = [3]
    files.page(1, 98)["answers"] = [0]
    run(*files.write())
    first = Page.objects.get(subtask__number=1, number=1)
    assert not BestChoice.objects.filter(enrolment__pseudonym="ann", page=first).exists()
    rated = Rating.objects.filter(enrolment__pseudonym="ann", candidate__prompt=first.prompt)
    assert rated.count() == 16
    best = BestChoice.objects.filter(enrolment__pseudonym="Ann").order_by("page__number")
    assert [one.page.number for one in best.filter(page__subtask__number=10)] == [9, 10]
    picked = [QA_METHODS[shifted_tags(98)[0]], QA_METHODS[shifted_tags(99)[3]]]
    assert [one.candidate.run.method.key for one in best] == picked


def test_a_page_answered_in_part_keeps_its_part(db: None, files: Files) -> None:
    files.page(2, 47)["groups"][2]["answers"] = [None, 2, None, 9]
    run(*files.write())
    page = Page.objects.get(subtask__number=5, number=8)
    given = Rating.objects.filter(enrolment__pseudonym="cut", candidate__prompt=page.prompt)
    assert dict(given.values_list("criterion__key", "score")) == {"informativeness": 2, "overall": 9}
    assert {rating.candidate.run.method.key for rating in given} == {QA_METHODS[shifted_tags(47)[2]]}


def test_scores_off_their_scale_are_kept_marked_and_counted(db: None, files: Files) -> None:
    files.page(0, 0)["groups"][0]["answers"] = [0, 6, -1, 10]
    files.page(0, 1)["groups"][0]["answers"] = [1, 5, 3, 11]
    told = run(*files.write())
    assert sorted(Rating.objects.filter(off_scale=True).values_list("score", flat=True)) == [-1, 0, 6, 11]
    assert "4 ratings are off their scale" in told


def test_evaluators_of_another_app_are_left_out_and_named(db: None, files: Files) -> None:
    files.evaluators.append(evaluator("poet", pages=3, app_name=POEM_APP))
    told = run(*files.write())
    assert not Enrolment.objects.filter(pseudonym="poet").exists()
    assert f"Left out, for they rated {POEM_APP}: poet." in told


def test_evaluators_whom_only_the_candidates_count_are_named(db: None, files: Files) -> None:
    told = run(*files.write())
    assert "Counted in qa-records.jsonl but without answers: gone." in told


def test_the_source_tells_both_files(db: None, files: Files) -> None:
    run(*files.write())
    for source in GenerationRun.objects.values_list("source", flat=True):
        assert (source["import"], source["answers"]) == ("qa-records.jsonl", "user-records.jsonl")
        assert (len(source["sha256"]), len(source["answers_sha256"])) == (64, 64)
        assert source["app"] == QA_APP


def test_other_answers_to_the_same_candidates_are_another_study(db: None, files: Files) -> None:
    run(*files.write())
    files.page(0, 0)["answers"] = [0]
    with pytest.raises(CommandError, match="there is a study qa already, made of something else"):
        run(*files.write())
    run(*files.write(), slug="qa-2")
    assert Study.objects.count() == 2
    assert User.objects.filter(username="qa-2/ann").exists()


@pytest.mark.parametrize(
    ("title", "parts"),
    [
        ("请评价意境（1-寡淡，如水 5-意境 深远）", ("请评价意境", "寡淡，如水", "意境 深远")),
        ("请评价意境(1：寡淡  5：深远)", ("请评价意境", "寡淡", "深远")),
        ("请评价意境", ("请评价意境", "", "")),
        ("请评价意境（1-寡淡 10-深远）", ("请评价意境（1-寡淡 10-深远）", "", "")),
    ],
)
def test_a_question_is_taken_apart_where_it_can_be(title: str, parts: tuple[str, str, str]) -> None:
    asked = as_asked(load_rubric("poem").criteria[3], title, 1, 5)
    assert tuple(map(str, (asked.question, asked.low, asked.high))) == parts
    # Nothing was asked in English.
    assert "en" not in asked.question | asked.low | asked.high
