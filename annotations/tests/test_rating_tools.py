"""Exports of annotation tools are known by themselves, and tables by the names of their columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from annotations.imports.rating_words import point_of
from annotations.tests.rating_files import found_in, ratings_in, write_csv, write_json
from generation.files.problems import FileRefused
from generation.refusals import Refused


@pytest.mark.parametrize(
    "labels",
    [
        {"a__T5": {"fluency": {"scale_4": "4"}, "quality": {"good": "true"}}},
        {
            "a__T5": [
                [{"schema": "fluency", "name": "scale_4"}, "4"],
                [{"schema": "quality", "name": "good"}, "good"],
            ]
        },
        {
            "a__T5": [
                [{"schema": "fluency", "name": "4"}, True],
                [{"schema": "quality", "name": "good"}, True],
            ]
        },
    ],
)
def test_both_forms_of_the_states_of_potato(tmp_path: Path, labels: Any) -> None:
    state = {"user_id": "ann", "instance_id_ordering": ["a__T5"], "instance_id_to_label_to_value": labels}
    found = found_in(write_json(tmp_path / "user_state.json", state))
    assert found.tool == "Potato"
    assert ratings_in(found) == [("ann", "a", "T5", "fluency", 4.0), ("ann", "a", "T5", "quality", 4.0)]


def test_states_of_several_annotators_with_a_table_of_texts(tmp_path: Path) -> None:
    paths = []
    for user, point in (("ann", 2), ("bea", 5)):
        (tmp_path / user).mkdir()
        labels = {"i7": {"fluency": {f"scale_{point}": str(point)}}}
        state = {"user_id": user, "instance_id_to_label_to_value": labels}
        paths.append(write_json(tmp_path / user / "user_state.json", state))
    texts = write_csv(
        tmp_path / "texts.csv", [("id", "prompt", "method", "text"), ("i7", "p1", "BART", "Rain.")]
    )
    found = found_in(*paths, texts=texts)
    assert ratings_in(found) == [("ann", "p1", "BART", "fluency", 2.0), ("bea", "p1", "BART", "fluency", 5.0)]
    assert found.records.texts == {(0, 0): "Rain."}


def test_label_studios_json(tmp_path: Path) -> None:
    def annotation(by: Any, rating: int, **more: Any) -> dict[str, Any]:
        result = [
            {"from_name": "fluency", "to_name": "txt", "type": "rating", "value": {"rating": rating}},
            {"from_name": "verdict", "to_name": "txt", "type": "choices", "value": {"choices": ["Good"]}},
            {"from_name": "why", "to_name": "txt", "type": "textarea", "value": {"text": ["so"]}},
        ]
        return {"id": 1, "completed_by": by, "created_at": "2026-03-09T22:16:08Z", "result": result, **more}

    tasks = [
        {
            "id": 7,
            "data": {"prompt": "p1", "system": "T5", "text": "Rain."},
            "annotations": [
                annotation(1, 4), annotation({"id": 2, "email": "b"}, 5), annotation(3, 1, was_cancelled=True),
            ],
            "predictions": [],
        }
    ]  # fmt: skip
    found = found_in(write_json(tmp_path / "export.json", tasks))
    assert found.tool == "Label Studio"
    assert ratings_in(found) == [
        ("1", "p1", "T5", "fluency", 4.0),
        ("1", "p1", "T5", "verdict", 4.0),
        ("b", "p1", "T5", "fluency", 5.0),
        ("b", "p1", "T5", "verdict", 4.0),
    ]
    assert found.records.texts == {(0, 0): "Rain."}
    assert found.records.times[0] == 1773094568.0


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": "p1", "model": "T5", "fluency.responses": [4, 5], "fluency.responses.users": ["u1", "u2"]},
        {
            "id": "x", "fields": {"prompt": "p1"}, "metadata": {"model": "T5"},
            "responses": {"fluency": [{"value": 4, "user_id": "u1"}, {"value": 5, "user_id": "u2"}]},
        },
        {
            "prompt": "p1", "metadata": '{"model": "T5"}',
            "fluency": {"user_id": ["u1", "u2"], "value": [4, 5], "status": ["submitted", "submitted"]},
        },
        {
            "prompt": "p1", "model": "T5",
            "fluency": [
                {"user_id": "u1", "value": 4, "status": "submitted"},
                {"user_id": "u2", "value": 5, "status": "submitted"},
                {"user_id": "u3", "value": 1, "status": "discarded"},
            ],
        },
    ],
)  # fmt: skip
def test_argillas_records_of_both_versions(tmp_path: Path, record: dict[str, Any]) -> None:
    found = found_in(write_json(tmp_path / "records.json", [record]))
    assert found.tool == "Argilla"
    assert ratings_in(found) == [("u1", "p1", "T5", "fluency", 4.0), ("u2", "p1", "T5", "fluency", 5.0)]


def test_appraises_csv_without_a_header(tmp_path: Path) -> None:
    rows = [
        ("engdeu01", "ONLINE-A", 3, "TGT", "eng", "deu", 87, "doc1", "False", 1588000000.1, 1588000009.2),
        ("engdeu01", "ONLINE-B", 3, "TGT", "eng", "deu", 0, "doc1", "False", 1588000010.1, 1588000019.2),
        ("engdeu01", "ONLINE-A", 4, "BAD", "eng", "deu", 5, "doc1", "False", 1588000020.1, 1588000029.2),
    ]
    found = found_in(write_csv(tmp_path / "scores.csv", rows))
    assert found.tool == "Appraise"
    assert ratings_in(found) == [
        ("engdeu01", "doc1/3", "ONLINE-A", "score", 87.0),
        ("engdeu01", "doc1/3", "ONLINE-B", "score", 0.0),
    ]
    [criterion] = found.summary.criteria
    assert (criterion.minimum, criterion.maximum) == (0, 100)


def test_mechanical_turks_inputs_and_answers(tmp_path: Path) -> None:
    rows = [
        ("HITId", "WorkerId", "LifetimeApprovalRate", "Input.id", "Input.system", "Input.text", "Answer.fluency",
         "Answer.meaning"),
        ("H1", "A1", "100% (5/5)", "7", "T5", "Rain.", "4 - good", "2"),
        ("H1", "A2", "98% (5/5)", "7", "T5", "Rain.", "Excellent", ""),
    ]  # fmt: skip
    found = found_in(write_csv(tmp_path / "batch.csv", rows))
    assert found.tool == "Mechanical Turk"
    assert ratings_in(found) == [
        ("A1", "7", "T5", "fluency", 4.0),
        ("A1", "7", "T5", "meaning", 2.0),
        ("A2", "7", "T5", "fluency", 5.0),
    ]
    assert found.summary.missing == 1


def test_qualtrics_three_headers_with_a_column_a_question(tmp_path: Path) -> None:
    rows = [
        ("StartDate", "Finished", "ResponseId", "Q1_1", "Q1_2"),
        ("Start Date", "Finished", "Response ID", "How fluent is it? [a1 | T5]", "How fluent is it? [a1 | BART]"),
        ('{"ImportId":"startDate"}', '{"ImportId":"finished"}', '{"ImportId":"_recordId"}', '{"ImportId":"QID1_1"}',
         '{"ImportId":"QID1_2"}'),
        ("2026-01-01 10:00", "1", "R_1", "Strongly agree", "2"),
        ("2026-01-01 11:00", "1", "R_2", "3", ""),
    ]  # fmt: skip
    found = found_in(write_csv(tmp_path / "survey.csv", rows))
    assert found.tool == "Qualtrics"
    assert ratings_in(found) == [
        ("R_1", "a1", "T5", "How fluent is it?", 5.0),
        ("R_1", "a1", "BART", "How fluent is it?", 2.0),
        ("R_2", "a1", "T5", "How fluent is it?", 3.0),
    ]


def test_google_forms_grid_names_responses_that_name_nobody(tmp_path: Path) -> None:
    rows = [
        ("Timestamp", "Article 1 [T5]", "Article 1 [BART]"),
        ("2026/01/01 10:00:00 AM GMT+8", "4", "5"),
        ("2026/01/01 10:30:00 AM GMT+8", "1", "2"),
    ]
    found = found_in(write_csv(tmp_path / "form.csv", rows))
    assert found.tool == "Google Forms"
    assert ratings_in(found)[0] == ("response 1", "Article 1", "T5", "score", 4.0)
    assert list(found.records.evaluators) == ["response 1", "response 2"]


def test_questions_that_say_nothing_need_a_table_of_texts(tmp_path: Path) -> None:
    form = write_csv(tmp_path / "form.csv", [("Timestamp", "First", "Second"), ("2026/01/01", "4", "5")])
    with pytest.raises(Refused, match="do not tell prompt and method"):
        found_in(form)
    texts = write_csv(
        tmp_path / "texts.csv",
        [
            ("id", "prompt", "method", "criterion"),
            ("First", "p1", "T5", "wit"),
            ("Second", "p1", "BART", "wit"),
        ],
    )
    assert ratings_in(found_in(form, texts=texts)) == [
        ("response 1", "p1", "T5", "wit", 4.0),
        ("response 1", "p1", "BART", "wit", 5.0),
    ]


def test_a_column_a_criterion(tmp_path: Path) -> None:
    rows = [
        ("annotator", "doc_id", "model", "fluency", "faithfulness", "duration"),
        ("a", "d1", "T5", 4, 5, 31.2),
    ]
    found = found_in(write_csv(tmp_path / "wide.csv", rows))
    assert ratings_in(found) == [("a", "d1", "T5", "fluency", 4.0), ("a", "d1", "T5", "faithfulness", 5.0)]


def test_a_column_a_rater_claims_nothing_about_evaluators(tmp_path: Path) -> None:
    rows = [("id", "system", "rater_1", "rater_2"), ("d1", "T5", 4, 2), ("d1", "BART", 5, 5)]
    found = found_in(write_csv(tmp_path / "wide.csv", rows))
    assert ratings_in(found)[1] == ("rater_2", "d1", "T5", "score", 2.0)
    assert not found.summary.names_evaluators


@pytest.mark.parametrize(
    ("winner", "shares"), [("T5", (1, 0)), ("right", (0, 1)), ("tie", (0.5, 0.5)), ("model_a", (1, 0))]
)
def test_pairs_become_shares_of_comparisons_won(
    tmp_path: Path, winner: str, shares: tuple[float, float]
) -> None:
    rows = [("worker", "prompt", "model_a", "model_b", "winner"), ("w", "p", "T5", "BART", winner)]
    found = found_in(write_csv(tmp_path / "pairs.csv", rows))
    assert found.reading.kind == "pairs"
    assert [rating[4] for rating in ratings_in(found)] == list(shares)


def test_several_pairs_of_a_page_give_each_text_one_share(tmp_path: Path) -> None:
    rows = [
        ("worker", "prompt", "winner", "loser"),
        ("w", "p", "A", "B"),
        ("w", "p", "A", "C"),
        ("w", "p", "B", "C"),
    ]
    found = found_in(write_csv(tmp_path / "pairs.csv", rows))
    assert [(method, score) for _, _, method, _, score in ratings_in(found)] == [
        ("A", 1.0),
        ("B", 0.5),
        ("C", 0.0),
    ]


def test_a_map_names_columns_that_no_look_would_tell(tmp_path: Path) -> None:
    rows = [("x", "y", "z", "q.a", "q.b"), ("ann", "p1", "T5", 1, 2)]
    columns = {"evaluator": ("x",), "prompt": ("y",), "method": ("z",), "score": ("q.*",)}
    found = found_in(write_csv(tmp_path / "own.csv", rows), columns=columns)
    assert ratings_in(found) == [("ann", "p1", "T5", "q.a", 1.0), ("ann", "p1", "T5", "q.b", 2.0)]
    with pytest.raises(Refused, match="There is no column w"):
        found_in(tmp_path / "own.csv", columns={"evaluator": ("w",)})


def test_columns_that_are_missing_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        found_in(write_csv(tmp_path / "own.csv", [("x", "score"), ("a", 1)]))
    assert [reason.split(":")[0] for reason in refused.value.reasons] == [
        "No column is the evaluator", "No column is the prompt", "No column is the method",
    ]  # fmt: skip


def test_everything_wrong_is_told_by_line_and_column(tmp_path: Path) -> None:
    rows = [
        ("evaluator", "prompt", "method", "score", "text"),
        ("a", "p", "T5", "splendid", "Rain."),
        ("", "p", "T5", 3, "Rain."),
        ("a", "p", "T5", 3, "Snow."),
    ]
    with pytest.raises(FileRefused) as refused:
        found_in(write_csv(tmp_path / "bad.csv", rows))
    told = str(refused.value)
    assert "bad.csv, line 2, score: 'splendid' is no number, and no word whose points are known" in told
    assert "bad.csv, line 3, evaluator: is empty; every rating needs it" in told
    found = found_in(
        write_csv(tmp_path / "good.csv", [rows[0], rows[1]]),
        words={"splendid": 5.0},
        scales={"score": (1.0, 5.0)},
    )
    assert ratings_in(found) == [("a", "p", "T5", "score", 5.0)]


@pytest.mark.parametrize(
    ("said", "point"),
    [
        ("4", 4.0), (" 4,5 ", 4.5), ("-1", -1.0), ("−2", -2.0), ("4/5", 4.0), ("3 stars", 3.0), ("5 (high)", 5.0),
        ("Good", 4.0), ("strongly  disagree", 1.0), ("很好", 5.0), ("", "missing"), ("N/A", "missing"),
        (None, "missing"), (float("nan"), "missing"), ("4th", None), ("blue", None), (True, 1.0), ([4], None),
        (1e12, None),
    ],
)  # fmt: skip
def test_scores_as_people_write_them(said: Any, point: Any) -> None:
    assert point_of(said) == point
