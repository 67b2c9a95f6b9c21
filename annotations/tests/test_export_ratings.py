from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries

from annotations.models import BestChoice, Criterion, Enrolment, Rating, Study, StudyMethod
from annotations.questionnaire.saving import Answer, PageAddress, save_answer
from annotations.recruiting.enrolment import enrol
from annotations.results.answer_rows import COLUMNS, AnswerRow, answer_count, answers, rating_chunks
from annotations.results.seal import Sealed
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import answer_everything, build_study, build_user, placements
from generation.models import Prompt


@pytest.fixture
def rated(study: Study, enrolment: Enrolment) -> Study:
    """The study of two pages, answered in full by alice and closed."""
    answer_everything(enrolment)
    close_study(study)
    return study


def exported(*arguments: str) -> str:
    output = io.StringIO()
    call_command("export_ratings", *arguments, stdout=output)
    return output.getvalue()


def rows(study: Study) -> list[dict[str, Any]]:
    """Return the export of a study that is open as dictionaries."""
    close_study(study)
    return [json.loads(line) for line in b"".join(rating_chunks(study, "jsonl")).splitlines()]


def test_each_rating_and_each_pick_is_a_row(rated: Study, alice: User) -> None:
    found = rows(rated)
    assert len(found) == answer_count(rated) == 2 * 4 * 2 + 2
    shown = placements(rated, alice, page=2)
    best = next(placement for placement in shown if placement.candidate.run.method.key == "method-3")
    rating, pick = [
        row for row in found
        if (row["subtask"], row["page"]) == (1, 2) and row["method"] == "method-3" and row["criterion"] != "format"
    ]  # fmt: skip
    assert rating.keys() == pick.keys() == COLUMNS.keys()
    saved_at = [row.pop("saved_at") for row in (rating, pick)]
    assert all(time.endswith("Z") and time[10] == "T" for time in saved_at)
    assert rating == {
        "study": "poems",
        "evaluator": "E001",
        "source": "questionnaire",
        "subtask": 1,
        "page": 2,
        "prompt": "poems 古题 2",
        "prompt_id": None,
        "tags": None,
        "method": "method-3",
        "method_label": "Method 3",
        "kind": "rating",
        "criterion": "overall",
        "score": 4,
        "off_scale": False,
        "position": best.position + 1,
        "best": True,
        "first_answered_at": None,
        "times_changed": None,
        "seconds_on_page": None,
    }
    assert pick == {**rating, "kind": "best_choice", "criterion": None, "score": None, "off_scale": None}


def test_a_row_says_what_the_study_calls_its_method(rated: Study) -> None:
    StudyMethod.objects.filter(study=rated, method__key="method-3").update(label="真人")
    names = {row["method"]: row["method_label"] for row in rows(rated)}
    assert names["method-3"] == "真人" and names["method-2"] == "Method 2"


def test_a_row_has_a_field_for_each_column() -> None:
    assert AnswerRow._fields == tuple(COLUMNS)


def test_best_marks_the_picked_candidate_alone(rated: Study) -> None:
    assert {row["method"] for row in rows(rated) if row["best"]} == {"method-3"}


def test_rows_come_by_evaluator_page_position_and_criterion(bob: User, alice: User) -> None:
    study = build_study(prompts=3, pages_per_subtask=2)
    # Bob comes first, and his pseudonym is the later one in the alphabet.
    for evaluator, pseudonym in ((bob, "Z"), (alice, "A")):
        answer_everything(enrol(study, evaluator, pseudonym=pseudonym), best_method=0)
    found = rows(study)
    assert list(dict.fromkeys((row["evaluator"], row["subtask"], row["page"]) for row in found)) == [
        ("Z", 1, 1), ("Z", 1, 2), ("Z", 2, 1), ("A", 1, 1), ("A", 1, 2), ("A", 2, 1),
    ]  # fmt: skip
    for page in range(6):
        nine = [(row["position"], row["criterion"]) for row in found[page * 9 : page * 9 + 9]]
        assert len({position for position, _ in nine}) == 4
        picked = next(position for position, criterion in nine if criterion is None)
        assert nine == sorted(
            [(position, key) for position in (1, 2, 3, 4) for key in ("format", "overall")]
            + [(picked, None)],
            key=lambda row: (row[0], {"format": 0, "overall": 1, None: 2}[row[1]]),
        )


def test_a_page_with_nothing_but_a_pick_is_not_lost(study: Study, enrolment: Enrolment, alice: User) -> None:
    second = placements(study, alice, page=2)[1]
    BestChoice.objects.create(enrolment=enrolment, page=second.page, candidate=second.candidate)
    (row,) = rows(study)
    assert (row["subtask"], row["page"], row["kind"], row["position"], row["best"]) == (
        1,
        2,
        "best_choice",
        2,
        True,
    )


def test_the_history_of_an_answer_is_told(study: Study, enrolment: Enrolment, alice: User) -> None:
    first, other = placements(study, alice)[:2]
    address = PageAddress("poems", 1, 1)
    for order, score, seconds in ((1, 3, 4.5), (2, 5, 61.25), (3, 4, None)):
        save_answer(alice, address, Answer(first.token, order, "overall", score, seconds))
    for order, placement in ((4, other), (5, first)):
        save_answer(alice, address, Answer(placement.token, order, seconds_on_page=70 + order))
    elsewhere = placements(study, alice, page=2)[0]
    save_answer(alice, PageAddress("poems", 1, 2), Answer(elsewhere.token, 6, seconds_on_page=9.5))
    rating, pick, other_pick = rows(study)
    assert (other_pick["times_changed"], other_pick["seconds_on_page"]) == (0, 9.5)
    assert (rating["score"], rating["times_changed"], rating["seconds_on_page"]) == (4, 2, 61.25)
    assert (pick["position"], pick["times_changed"], pick["seconds_on_page"]) == (1, 1, 75.0)
    earliest = study.enrolments.get().changes.order_by("pk")[0]
    assert rating["first_answered_at"] == earliest.changed_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    stored = Rating.objects.get()
    assert rating["saved_at"] == stored.saved_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_an_answer_given_once_was_never_changed(study: Study, enrolment: Enrolment, alice: User) -> None:
    token = placements(study, alice)[0].token
    save_answer(alice, PageAddress("poems", 1, 1), Answer(token, 1, "format", 2))
    (row,) = rows(study)
    assert (row["times_changed"], row["seconds_on_page"]) == (0, None)
    assert row["first_answered_at"] == row["saved_at"]


def test_an_imported_score_off_its_scale_keeps_its_flag(study: Study, bob: User) -> None:
    imported = enrol(study, bob, source=Enrolment.Source.IMPORTED)
    Rating.objects.create(
        enrolment=imported,
        candidate=placements(study, bob)[0].candidate,
        criterion=Criterion.objects.get(study=study, key="format"),
        score=0,
        off_scale=True,
    )
    (row,) = rows(study)
    assert (row["source"], row["score"], row["off_scale"]) == ("imported", 0, True)


def test_other_studies_stay_out(rated: Study, alice: User, bob: User) -> None:
    other = build_study(slug="more")
    for evaluator in (bob, alice):
        answer_everything(enrol(other, evaluator))
    assert {row["study"] for row in rows(rated)} == {"poems"}
    assert len(rows(rated)) == 18


def test_nobody_is_named(study: Study) -> None:
    answer_everything(enrol(study, build_user("zzcanary")))
    assert "zzcanary" not in json.dumps(rows(study))


def test_csv_is_the_default_and_safe(rated: Study) -> None:
    Prompt.objects.filter(text="poems 古题 1").update(text='=HYPERLINK("x")')
    Prompt.objects.filter(text="poems 古题 2").update(text="春风,\n又绿“江南”岸")
    text = exported("poems")
    assert text[0] == "\ufeff"
    table = list(csv.DictReader(io.StringIO(text[1:], newline="")))
    assert {row["prompt"] for row in table} == {'\'=HYPERLINK("x")', "春风,\n又绿“江南”岸"}
    assert table[0].keys() == COLUMNS.keys()
    assert {row["best"] for row in table} == {"true", "false"}
    assert {row["score"] for row in table} == {"1", "2", "3", "4", ""}


def test_json_lines_hold_the_formula_as_it_is(rated: Study) -> None:
    Prompt.objects.filter(text="poems 古题 1").update(text="=1+1")
    lines = exported("poems", "--format", "jsonl").splitlines()
    assert {json.loads(line)["prompt"] for line in lines} == {"=1+1", "poems 古题 2"}


def test_parquet_holds_what_json_lines_hold(rated: Study, tmp_path: Path) -> None:
    path = tmp_path / "ratings.parquet"
    assert exported("poems", "--format", "parquet", "--output", str(path)) == ""
    table = pyarrow.parquet.read_table(path).to_pylist()
    for row in table:
        row["saved_at"] = row["saved_at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert table == rows(rated)
    assert list(tmp_path.iterdir()) == [path]


def test_parquet_needs_a_file(rated: Study) -> None:
    with pytest.raises(CommandError, match="--format parquet: name a file with --output"):
        exported("poems", "--format", "parquet")


def test_a_study_without_answers_gives_empty_files(study: Study, tmp_path: Path) -> None:
    assert exported("poems").count("\r\n") == 1
    assert exported("poems", "--format", "jsonl") == ""
    exported("poems", "--format", "parquet", "--output", str(tmp_path / "empty.parquet"))
    table = pyarrow.parquet.read_table(tmp_path / "empty.parquet")
    assert (table.num_rows, table.column_names) == (0, [*COLUMNS])


@pytest.mark.parametrize("evaluators", [1, 3])
def test_the_number_of_queries_does_not_grow(
    evaluators: int, study: Study, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(evaluators):
        answer_everything(enrol(study, build_user(f"evaluator-{number}")))
    close_study(study)
    # The seal, whether there are checks, the answers, the names of evaluators, criteria and candidates, the history.
    with django_assert_num_queries(7):
        assert len(list(answers(study))) == 18 * evaluators


def test_an_open_study_gives_nothing(study: Study, enrolment: Enrolment) -> None:
    answer_everything(enrolment)
    with pytest.raises(Sealed):
        rating_chunks(study, "csv")
    with pytest.raises(CommandError, match="poems: sealed while it is open"):
        exported("poems")
    assert not study.unblindings.exists()


def test_unblinding_opens_an_open_study_and_is_logged(study: Study, enrolment: Enrolment) -> None:
    answer_everything(enrolment)
    assert (
        exported("poems", "--format", "jsonl", "--unblind", "interim check of the import").count("\n") == 18
    )
    assert study.unblindings.get().reason == "interim check of the import"


def test_a_short_reason_unblinds_nothing(study: Study, enrolment: Enrolment) -> None:
    with pytest.raises(CommandError, match="--unblind: Give a reason"):
        exported("poems", "--unblind", "because")
    assert not study.unblindings.exists()


def test_a_path_that_cannot_be_written_gives_one_line(rated: Study, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nowhere/ratings\.csv: No such file or directory"):
        exported("poems", "--output", str(tmp_path / "nowhere" / "ratings.csv"))


def test_an_unknown_study_gives_one_line(db: None) -> None:
    with pytest.raises(CommandError, match="lost: no such study"):
        exported("lost")
