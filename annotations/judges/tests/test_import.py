"""A judge's scores are taken whole or not at all, once, and never among people's ratings."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from annotations.judges.files import read_columns, read_scores
from annotations.judges.judges import About, delete_judge, import_scores, judges_of
from annotations.judges.tests.cast import score_rows, write_scores
from annotations.models import Judge, JudgeRating, Page, Rating, StaffAct, Study
from annotations.setup.study import change_study
from annotations.tests.cast import build_study
from generation.files.problems import FileRefused
from generation.refusals import Refused


@pytest.fixture
def study(db: None) -> Study:
    return build_study()


def take(study: Study, path: Path, **said: Any) -> tuple[Judge, bool]:
    reading = {name: said.pop(name) for name in ("has_own_scale", "takes_other_prompts") if name in said}
    replaces = said.pop("replaces", False)
    about = About(**{"key": "comet", "saw_answers": "no", **said})
    return import_scores(study, read_scores(path, study, **reading), about, replaces=replaces, by=None)


def refused(study: Study, tmp_path: Path, *rows: dict[str, Any], **reading: Any) -> str:
    with pytest.raises(Refused) as caught:
        read_scores(write_scores(tmp_path / "scores.csv", rows), study, **reading)
    return str(caught.value)


def test_scores_are_stored_beside_ratings_and_never_among_them(study: Study, tmp_path: Path) -> None:
    judge, is_new = take(study, write_scores(tmp_path / "scores.csv", score_rows(study)), label="COMET")
    assert is_new and judge.label == "COMET" and judge.kind == "imported"
    listed: Any = judges_of(study).get()
    assert (listed.scores, listed.texts) == (8, 8)
    assert Rating.objects.count() == 0
    act = StaffAct.objects.get(act="judge.imported")
    assert act.details["scores"] == 8 and "method" not in act.details


def test_scores_stay_where_the_pages_are_cut_into_other_subtasks(db: None, tmp_path: Path) -> None:
    draft = build_study(prompts=5)
    Study.objects.update(state=Study.State.DRAFT)
    draft.refresh_from_db()
    take(draft, write_scores(tmp_path / "scores.csv", score_rows(draft)))
    texts = list(JudgeRating.objects.order_by("pk").values_list("page_candidate__candidate", "score"))
    for size in (2, 1, 5):
        change_study(draft, by=None, prompts_per_subtask=size)
        assert (
            list(JudgeRating.objects.order_by("pk").values_list("page_candidate__candidate", "score"))
            == texts
        )
        numbers = Page.objects.order_by("subtask__number", "number").values_list("subtask__number", "number")
        assert list(numbers) == [(at // size + 1, at % size + 1) for at in range(5)]


def test_the_same_file_again_changes_nothing_and_another_one_only_if_it_is_meant(
    study: Study, tmp_path: Path
) -> None:
    path = write_scores(tmp_path / "scores.csv", score_rows(study))
    first, _ = take(study, path)
    again, is_new = take(study, path)
    assert again == first and not is_new
    other = write_scores(tmp_path / "other.csv", score_rows(study)[:4])
    with pytest.raises(Refused, match="to be replaced"):
        take(study, other)
    assert JudgeRating.objects.count() == 8
    take(study, other, replaces=True)
    assert JudgeRating.objects.count() == 4


def test_a_metric_has_its_own_scale_and_no_criterion(study: Study, tmp_path: Path) -> None:
    rows = [{**row, "score": -0.123} for row in score_rows(study)]
    for row in rows:
        del row["criterion"]
    take(study, write_scores(tmp_path / "scores.csv", rows), has_own_scale=True)
    rating = JudgeRating.objects.first()
    assert rating is not None and rating.criterion is None and rating.score == -0.123


def test_repeats_and_positions_are_scores_of_their_own(study: Study, tmp_path: Path) -> None:
    rows = [
        {**row, "repeat": repeat, "position": position}
        for row in score_rows(study)
        for repeat in (1, 2)
        for position in (1, 4)
    ]
    take(study, write_scores(tmp_path / "scores.csv", rows))
    assert JudgeRating.objects.count() == 32
    assert set(JudgeRating.objects.values_list("repeat", "position")) == {(1, 1), (1, 4), (2, 1), (2, 4)}


def test_other_prompts_are_refused_unless_the_file_is_said_to_have_them(study: Study, tmp_path: Path) -> None:
    other = {**score_rows(study)[0], "prompt": "never shown"}
    said = refused(study, tmp_path, *score_rows(study), other)
    assert "line 10, prompt: 'never shown' is no prompt of the study" in said
    path = write_scores(tmp_path / "scores.csv", [*score_rows(study), other])
    judge, _ = take(study, path, takes_other_prompts=True, sampling="random")
    assert judge.sampling == "random"
    assert JudgeRating.objects.get(page_candidate=None).prompt_name == "never shown"


def test_everything_wrong_is_told_with_line_and_field(study: Study, tmp_path: Path) -> None:
    good = score_rows(study)[0]
    bad = [
        {**good, "score": "nan"},
        {**good, "score": 11},
        {**good, "method": "nobody"},
        {**good, "criterion": "beauty"},
        good,
        good,
    ]
    said = refused(study, tmp_path, *bad)
    assert "line 2, score: 'nan' is no finite number" in said
    assert "line 3, score: 11 is off the scale of overall, which goes from 1 to 10" in said
    assert "line 4, method: 'nobody' is none of the study; there are method-0" in said
    assert "line 5, criterion: 'beauty' is none of the study; there are format, overall" in said
    assert "line 7, score: scores the same text on the same criterion a second time" in said
    assert JudgeRating.objects.count() == 0


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("repeat", "0", "'0' is no whole number from 1 to 1000"),
        ("position", "1.5", "'1.5' is no whole number from 1 to 1000"),
        ("repeat", "x", "'x' is no finite number"),
    ],
)
def test_repeats_and_positions_are_whole_numbers_from_one(
    study: Study, tmp_path: Path, field: str, value: str, message: str
) -> None:
    assert message in refused(study, tmp_path, {**score_rows(study)[0], field: value})


def test_a_page_tells_prompts_of_one_name_apart(study: Study, tmp_path: Path) -> None:
    rows = [{"page": "1/2", "method": "method-1", "score": 3}]
    take(study, write_scores(tmp_path / "scores.csv", rows))
    rating = JudgeRating.objects.select_related("page_candidate__page").get()
    assert rating.page_candidate is not None and rating.page_candidate.page.number == 2
    study.subtasks.get().pages.update(prompt=study.subtasks.get().pages.get(number=1).prompt)
    said = refused(study, tmp_path, score_rows(study)[0])
    assert "stands on several pages: name the page in a column page, such as 1/1" in said
    assert "is no prompt of the study" in refused(study, tmp_path, {**rows[0], "page": "9/9"})


def test_columns_of_other_names_can_be_said(study: Study, tmp_path: Path) -> None:
    rows = [{"doc": row["prompt"], "arm": row["method"], "bleurt": 3} for row in score_rows(study)]
    path = write_scores(tmp_path / "scores.csv", rows)
    with pytest.raises(Refused, match="No column is the prompt"):
        read_scores(path, study)
    file = read_scores(path, study, columns=read_columns("prompt=doc, method=arm,score=bleurt"))
    assert len(file.scores) == 8 and file.texts == 8
    with pytest.raises(Refused, match="There is no column nowhere"):
        read_scores(path, study, columns={"score": "nowhere"})
    with pytest.raises(Refused, match="is no ROLE=COLUMN"):
        read_columns("color=doc")


def test_a_file_without_a_score_is_refused(study: Study, tmp_path: Path) -> None:
    assert "no score" in refused(study, tmp_path, {**score_rows(study)[0], "score": ""})


def test_what_is_said_of_a_judge_is_checked(study: Study, tmp_path: Path) -> None:
    path = write_scores(tmp_path / "scores.csv", score_rows(study))
    with pytest.raises(Refused, match="nobody is no method of the study"):
        take(study, path, own_methods=("nobody",))
    with pytest.raises(ValidationError):
        take(study, path, key="no slug!")
    with pytest.raises(ValidationError):
        take(study, path, saw_answers="perhaps")
    assert not Judge.objects.exists()


def test_a_deleted_judge_goes_with_its_scores(study: Study, tmp_path: Path) -> None:
    judge, _ = take(study, write_scores(tmp_path / "scores.csv", score_rows(study)))
    delete_judge(judge, by=None)
    assert not JudgeRating.objects.exists()
    assert StaffAct.objects.filter(act="judge.deleted").exists()


def test_the_command_imports_and_says_what_is_in_the_file(study: Study, tmp_path: Path) -> None:
    path = str(write_scores(tmp_path / "scores.csv", score_rows(study)))
    said = StringIO()
    call_command("import_judge_ratings", study.slug, path, judge="comet", saw_answers="no", stdout=said)
    assert (
        "comet: 8 scores; 8 of 8 texts of the study, 0 prompts that nobody rates; criteria: overall"
        in said.getvalue()
    )
    again = StringIO()
    call_command("import_judge_ratings", study.slug, path, judge="comet", saw_answers="no", stdout=again)
    assert "nothing has changed" in again.getvalue()
    with pytest.raises(CommandError, match="Nothing was stored"):
        bad = str(write_scores(tmp_path / "bad.csv", [{**score_rows(study)[0], "score": "x"}]))
        call_command("import_judge_ratings", study.slug, bad, judge="bad", saw_answers="no")


@pytest.mark.parametrize(
    "row",
    [
        {"prompt_name": ""},
        {"prompt_name": "other", "repeat": 0},
        {"prompt_name": "other", "position": 0},
        {"prompt_name": "other", "score": 1e12},
    ],
)
def test_the_database_refuses_scores_that_cannot_be(
    study: Study, tmp_path: Path, row: dict[str, Any]
) -> None:
    judge, _ = take(study, write_scores(tmp_path / "scores.csv", score_rows(study)[:1]))
    method = study.study_methods.first()
    with pytest.raises(IntegrityError), transaction.atomic():
        JudgeRating.objects.create(**{"judge": judge, "study_method": method, "score": 1, **row})


def test_the_database_keeps_one_score_of_a_text_criterion_repeat_and_position(
    study: Study, tmp_path: Path
) -> None:
    judge, _ = take(study, write_scores(tmp_path / "scores.csv", score_rows(study)[:1]))
    same = JudgeRating.objects.get()
    same.pk = None
    with pytest.raises(IntegrityError, match="judge_rating_once"), transaction.atomic():
        same.save(force_insert=True)
    assert judge.ratings.count() == 1


def test_a_refused_file_is_a_file_refused(study: Study, tmp_path: Path) -> None:
    path = write_scores(tmp_path / "scores.csv", [{**score_rows(study)[0], "score": "x"}])
    with pytest.raises(FileRefused):
        read_scores(path, study)
