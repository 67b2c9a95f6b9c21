"""Dialogues: each of their turns is rated beside the whole, by criteria that say so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from annotations.models import AnswerChange, Enrolment, PageCandidate, Rating, Study, TurnRating
from annotations.questionnaire.progress import study_progress
from annotations.questionnaire.saving import Answer, OffScale, PageAddress, UnknownPlace
from annotations.questionnaire.turns.saving import save_score
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.withdrawal import withdraw
from annotations.results.rating_table import rating_table, verdicts_on
from annotations.results.turns.rows import COLUMNS, turn_rows
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import placements

PAGE = "/studies/talks/subtasks/1/pages/1/"
ADDRESS = PageAddress("talks", 1, 1)
RUBRIC = {
    "genre": "qa",
    "criteria": [
        {"key": "fluency", "label": {"en": "Fluency"}, "rates_turns": True},
        {"key": "overall", "label": {"en": "Overall"}, "is_overall": True},
    ],
}
TURNS = [
    {"role": "user", "text": "Hello"},
    {"role": "assistant", "text": "Yes?"},
    {"role": "user", "text": "Why?"},
    {"role": "assistant", "content": "Because."},
]


@pytest.fixture
def tokens(alice: User, tmp_path: Path) -> list[str]:
    """The texts of alice's page, a dialogue of two rated turns and a plain text, by the names of their methods."""
    rubric, rows = tmp_path / "rubric.json", tmp_path / "talks.jsonl"
    rubric.write_text(json.dumps(RUBRIC), encoding="utf-8")
    texts: dict[str, Any] = {"bot": TURNS, "plain": "Just because."}
    rows.write_text(
        "".join(
            json.dumps({"prompt": "Talk.", "method": method, "text": text}) + "\n"
            for method, text in texts.items()
        ),
        encoding="utf-8",
    )
    call_command("create_study", "talks", rubric=str(rubric))
    call_command("change_study", "talks", has_best_picks="False")
    call_command("upload_material", "talks", rows)
    call_command("sign_off_study", "talks")
    call_command("launch_study", "talks", without_plan=True)
    study = Study.objects.get()
    enrol(study, alice)
    placed = placements(study, alice)
    return [one.token for one in sorted(placed, key=lambda one: one.candidate.run.method.key)]


def test_a_dialogue_is_stored_with_the_number_of_its_rated_turns(tokens: list[str]) -> None:
    counts = PageCandidate.objects.order_by("study_method__number").values_list("turns", "candidate__text")
    assert [(turns, json.loads(text) if turns else text) for turns, text in counts] == [
        (2, TURNS),
        (0, "Just because."),
    ]


def test_a_turn_is_rated_with_its_history_and_the_later_answer_stays(tokens: list[str], alice: User) -> None:
    for _ in range(2):
        receipt = save_score(alice, ADDRESS, Answer(tokens[0], 5, "fluency:2", 4, 1.5))
        assert (receipt.criterion, receipt.score, receipt.is_latest) == ("fluency:2", 4, True)
    late = save_score(alice, ADDRESS, Answer(tokens[0], 4, "fluency:2", 1))
    assert (late.score, late.is_latest) == (4, False)
    stored = TurnRating.objects.get()
    assert (stored.turn, stored.score, stored.criterion.key) == (2, 4, "fluency")
    assert AnswerChange.objects.values_list("turn", "score", "seconds_on_page").get() == (2, 4, 1.5)
    whole = save_score(alice, ADDRESS, Answer(tokens[0], 6, "fluency", 3))
    assert (whole.score, Rating.objects.get().score) == (3, 3)


@pytest.mark.parametrize(
    ("text", "key", "score", "refusal"),
    [
        (0, "fluency:3", 3, UnknownPlace),
        (0, "overall:1", 3, UnknownPlace),
        (1, "fluency:1", 3, UnknownPlace),
        (0, "fluency:1", 6, OffScale),
        (0, "fluency:1", None, OffScale),
    ],
)
def test_what_is_no_turn_or_no_score_is_refused(
    tokens: list[str], alice: User, text: int, key: str, score: int | None, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        save_score(alice, ADDRESS, Answer(tokens[text], 1, key, score))
    assert not TurnRating.objects.exists()


def test_a_page_shows_the_turns_and_asks_about_each(
    as_alice: Client, tokens: list[str], django_assert_num_queries: Any
) -> None:
    as_alice.get(PAGE)
    with django_assert_num_queries(6):
        page = as_alice.get(PAGE).content.decode()
    assert page.count('class="turn"') == 4
    assert "Turn 2: Fluency" in page
    # Two turns and two criteria about the dialogue, two criteria about the other text.
    assert 'data-total="6"' in page
    body = {"token": tokens[0], "criterion": "fluency:1", "score": 2, "order": 5, "seconds": 1}
    with django_assert_num_queries(2):
        reply = as_alice.post(f"{PAGE}answers/", json.dumps(body), content_type="application/json").json()
    assert (reply["criterion"], reply["score"]) == ("fluency:1", 2)
    page = as_alice.get(PAGE).content.decode()
    assert "1 of 6 answered" in page
    bad = json.dumps(body | {"criterion": "fluency:0"})
    assert as_alice.post(f"{PAGE}answers/", bad, content_type="application/json").status_code == 400


def test_a_page_without_javascript_and_the_api_take_turns_too(as_alice: Client, tokens: list[str]) -> None:
    as_alice.post(PAGE, {f"{tokens[0]}.fluency:1": "5", f"{tokens[0]}.overall": "4"})
    assert (TurnRating.objects.get().score, Rating.objects.get().score) == (5, 4)
    path = f"/api/v1/my{PAGE}"
    body = json.dumps({"token": tokens[0], "criterion": "fluency", "turn": 2, "score": 1})
    reply = as_alice.post(f"{path}ratings/", body, content_type="application/json").json()
    assert (reply["criterion"], reply["score"]) == ("fluency:2", 1)
    scores = {one["token"]: one["scores"] for one in as_alice.get(path).json()["candidates"]}
    assert scores[tokens[0]] == {"fluency:1": 5, "fluency:2": 1, "fluency": None, "overall": 4}


def test_who_leaves_a_turn_out_has_not_finished(tokens: list[str], alice: User) -> None:
    for token in tokens:
        for key in ("fluency", "overall"):
            save_score(alice, ADDRESS, Answer(token, 1, key, 3))
    study, enrolment = Study.objects.get(), Enrolment.objects.get()
    assert not verdicts_on(study, rating_table(study))[0].is_finished
    for turn in (1, 2):
        save_score(alice, ADDRESS, Answer(tokens[0], 1, f"fluency:{turn}", turn + 2))
    progress = study_progress(enrolment)
    assert (progress.answered, progress.total) == (6, 6)
    assert verdicts_on(study, rating_table(study))[0].is_finished


def test_each_rating_of_a_turn_is_exported_with_its_number(
    tokens: list[str], alice: User, carol: User, client: Client, tmp_path: Path
) -> None:
    for turn in (1, 2):
        save_score(alice, ADDRESS, Answer(tokens[0], 1, f"fluency:{turn}", turn + 2))
    client.force_login(carol)
    assert client.get("/studies/talks/turns.csv").headers["Location"] == "/studies/talks/results/"
    study = Study.objects.get()
    close_study(study)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in turn_rows(study)]
    assert [(row["method"], row["criterion"], row["turn"], row["score"]) for row in rows] == [
        ("bot", "fluency", 1, 3),
        ("bot", "fluency", 2, 4),
    ]
    path = tmp_path / "turns.jsonl"
    call_command("export_turns", "talks", format="jsonl", output=path)
    assert len(path.read_text(encoding="utf-8").splitlines()) == 2
    assert b"".join(client.get("/studies/talks/turns.jsonl")).count(b"\n") == 2
    assert client.get("/studies/talks/turns.exe").status_code == 404
    assert "/studies/talks/turns.csv" in client.get("/studies/talks/results/").content.decode()


def test_who_withdraws_takes_ratings_of_turns_along(tokens: list[str], alice: User) -> None:
    save_score(alice, ADDRESS, Answer(tokens[0], 1, "fluency:1", 3))
    assert withdraw(Enrolment.objects.get()) == 1
    assert not TurnRating.objects.exists()


def test_the_page_of_a_prompt_shows_a_dialogue_as_its_turns(
    client: Client, carol: User, alice: User, tokens: list[str]
) -> None:
    for token in tokens:
        for criterion in ("fluency", "overall"):
            save_score(alice, ADDRESS, Answer(token, 1, criterion, 3))
    close_study(Study.objects.get())
    client.force_login(carol)
    page = client.get("/studies/talks/results/prompts/1/1/").content.decode()
    assert page.count('class="turn"') == 4
    assert "&quot;role&quot;" not in page


def test_the_preview_asks_about_turns(client: Client, carol: User, tokens: list[str]) -> None:
    client.force_login(carol)
    page = client.get("/manage/studies/talks/preview/subtasks/1/pages/1/").content.decode()
    assert page.count('class="turn"') == 4
    assert "Turn 2: Fluency" in page
