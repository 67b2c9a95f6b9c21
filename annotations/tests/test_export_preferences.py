from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from annotations.models import BestChoice, Criterion, Enrolment, PageCandidate, Rating, Study
from annotations.plan.simulation import Effects, simulate_ratings
from annotations.recruiting.enrolment import enrol
from annotations.results.preferences.files import wanted_file
from annotations.results.preferences.pairs import COLUMNS, preferences
from annotations.results.preferences.wanted import PREFERENCE_FORMATS, BadPreferences, Wanted
from annotations.results.seal import Sealed
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import answer_everything, build_study, build_user
from generation.models import Candidate, Prompt


def rate(enrolment: Enrolment, scores: Sequence[int], *, best: int, pages: Sequence[int] = (1, 2)) -> None:
    """Give each method its score on every criterion of these pages, and pick the best one."""
    for shown in PageCandidate.objects.filter(
        page__subtask__study=enrolment.study, page__number__in=pages
    ).select_related("study_method"):
        method = shown.study_method.number
        for criterion in enrolment.study.criteria.all():
            Rating.objects.create(
                enrolment=enrolment,
                candidate_id=shown.candidate_id,
                criterion=criterion,
                score=scores[method],
                off_scale=not criterion.minimum <= scores[method] <= criterion.maximum,
            )
        if method == best:
            BestChoice.objects.create(
                enrolment=enrolment, page_id=shown.page_id, candidate_id=shown.candidate_id
            )


def exported(*arguments: str) -> list[dict[str, Any]]:
    output = io.StringIO()
    call_command("export_preferences", "poems", *arguments, stdout=output)
    return [json.loads(line) for line in output.getvalue().splitlines()]


def verdicts(pairs: list[dict[str, Any]], page: str = "1/1") -> dict[str, tuple[float, int, float]]:
    """Return margin, evaluators and agreement of a page's pairs, by the numbers of the methods as in 'b>a'."""
    return {
        f"{pair['chosen_method'][-1]}>{pair['rejected_method'][-1]}": (
            pair["margin"], pair["evaluators"], pair["agreement"],
        )
        for pair in pairs if f"{pair['subtask']}/{pair['page']}" == page
    }  # fmt: skip


@pytest.fixture
def rated(study: Study, enrolment: Enrolment, bob: User) -> Study:
    """The study of two pages, answered by alice and bob, who disagree about methods 2 and 3, and closed."""
    rate(enrolment, [1, 2, 3, 4], best=3)
    rate(enrol(study, bob), [2, 2, 5, 1], best=2)
    close_study(study)
    return study


def test_a_pair_says_which_text_was_rated_better(rated: Study) -> None:
    first = exported()[0]
    assert first.keys() == COLUMNS.keys()
    texts = Candidate.objects.filter(prompt__text="poems 古题 1")
    assert first == {
        "prompt": "poems 古题 1",
        "chosen": texts.get(run__method__key="method-1").text,
        "rejected": texts.get(run__method__key="method-0").text,
        "margin": 0.5,
        "evaluators": 2,
        "agreement": 0.5,
        "chosen_method": "method-1",
        "rejected_method": "method-0",
        "subtask": 1,
        "page": 1,
        "study": "poems",
        "source": "ratings",
        "criterion": "overall",
        "prompt_id": None,
        "parts": None,
        "turns": None,
        "tags": None,
        "simulated": False,
    }


def test_the_margin_is_the_mean_difference_of_ratings(rated: Study) -> None:
    # Alice rated 1 2 3 4, bob 2 2 5 1.
    expected = {
        "1>0": (0.5, 2, 0.5),
        "2>0": (2.5, 2, 1.0),
        "3>0": (1.0, 2, 0.5),
        "2>1": (2.0, 2, 1.0),
        "3>1": (0.5, 2, 0.5),
        "2>3": (1.5, 2, 0.5),
    }
    assert verdicts(exported()) == verdicts(exported(), "1/2") == expected


def test_who_rated_both_alike_agrees_with_nobody(study: Study, enrolment: Enrolment, bob: User) -> None:
    rate(enrolment, [3, 2, 1, 2], best=0)
    rate(enrol(study, bob), [3, 3, 1, 3], best=0)
    close_study(study)
    found = verdicts(exported())
    assert found["0>1"] == found["0>3"] == (0.5, 2, 0.5)


def test_pairs_come_by_prompt_and_each_two_texts_once(rated: Study) -> None:
    pairs = exported()
    assert [(pair["subtask"], pair["page"]) for pair in pairs] == [(1, 1)] * 6 + [(1, 2)] * 6
    assert len({(pair["prompt"], frozenset((pair["chosen"], pair["rejected"]))) for pair in pairs}) == 12


def test_small_margins_can_be_left_out(rated: Study) -> None:
    assert set(verdicts(exported("--min-margin", "1.5"))) == {"2>0", "2>1", "2>3"}


def test_an_exact_tie_gives_no_pair(study: Study, enrolment: Enrolment, bob: User) -> None:
    rate(enrolment, [1, 2, 3, 4], best=3)
    rate(enrol(study, bob), [4, 3, 2, 1], best=0)
    close_study(study)
    assert exported() == []
    # Each was picked once.
    assert set(verdicts(exported("--from", "picks"))) == {"0>1", "0>2", "3>1", "3>2"}


def test_a_pick_is_preferred_to_each_text_not_picked(study: Study, enrolment: Enrolment, bob: User) -> None:
    rate(enrolment, [4, 4, 4, 4], best=3)
    rate(enrol(study, bob), [4, 4, 4, 4], best=3)
    rate(enrol(study, build_user("dan")), [4, 4, 4, 4], best=2)
    close_study(study)
    pairs = exported("--from", "picks")
    assert verdicts(pairs) == {
        "2>0": (1.0, 1, 1.0),
        "2>1": (1.0, 1, 1.0),
        "3>0": (1.0, 2, 1.0),
        "3>1": (1.0, 2, 1.0),
        "3>2": (1 / 3, 3, 2 / 3),
    }
    assert {(pair["source"], pair["criterion"]) for pair in pairs} == {("picks", "")}


@pytest.mark.parametrize("source", ["ratings", "picks"])
def test_inconsistent_pages_count_only_if_asked_for(alice: User, source: str) -> None:
    enrolment = enrol(build_study(prompts=10), alice)
    rate(enrolment, [1, 2, 3, 4], best=0, pages=[1])
    rate(enrolment, [1, 2, 3, 4], best=3, pages=range(2, 11))
    close_study(enrolment.study)
    pages = {pair["page"] for pair in exported("--from", source)}
    assert pages == set(range(2, 11))
    assert 1 in {pair["page"] for pair in exported("--from", source, "--include-inconsistent")}


@pytest.mark.parametrize("source", ["ratings", "picks"])
def test_only_valid_evaluators_have_a_say(study: Study, enrolment: Enrolment, bob: User, source: str) -> None:
    answer_everything(enrolment)
    # Dan did not finish, and bob was inconsistent on every page.
    rate(enrol(study, build_user("dan")), [4, 3, 2, 1], best=0, pages=[1])
    rate(enrol(study, bob), [4, 3, 2, 1], best=3)
    close_study(study)
    found = verdicts(exported("--from", source, "--include-inconsistent"))
    assert {evaluators for _, evaluators, _ in found.values()} == {1}
    assert found["3>0"] == ((3.0 if source == "ratings" else 1.0), 1, 1.0)


def test_a_score_off_its_scale_counts_as_missing(study: Study, bob: User) -> None:
    rate(enrol(study, bob, source=Enrolment.Source.IMPORTED), [0, 2, 3, 4], best=3)
    close_study(study)
    assert set(verdicts(exported())) == {"2>1", "3>1", "3>2"}


def test_texts_that_are_the_same_make_no_pair(rated: Study) -> None:
    texts = Candidate.objects.filter(prompt__text="poems 古题 1")
    texts.filter(run__method__key="method-2").update(text=texts.get(run__method__key="method-0").text)
    assert "2>0" not in verdicts(exported())
    assert "2>0" in verdicts(exported(), "1/2")


def test_a_description_is_part_of_the_prompt(rated: Study) -> None:
    Prompt.objects.filter(text="poems 古题 2").update(description="以秋为题。")
    assert {pair["prompt"] for pair in exported()} == {"poems 古题 1", "poems 古题 2\n以秋为题。"}


def test_ratings_need_an_overall_criterion(study: Study, enrolment: Enrolment) -> None:
    Criterion.objects.filter(study=study).update(is_overall=False)
    answer_everything(enrolment)
    close_study(study)
    with pytest.raises(CommandError, match="poems: The study has no overall criterion"):
        exported()
    assert len(exported("--from", "picks")) == 6


def test_parquet_holds_what_json_lines_hold(rated: Study, tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    assert exported("--format", "parquet", "--output", str(path)) == []
    table = pyarrow.parquet.read_table(path)
    assert table.to_pylist() == exported()
    assert {str(table.schema.field(name).type) for name in ("prompt", "chosen", "rejected")} == {"string"}


def test_verse_and_formulas_are_left_as_they_are(rated: Study) -> None:
    Candidate.objects.filter(run__method__key="method-2").update(text="=1+1\n“春风”")
    assert "=1+1\n“春风”" in {pair["chosen"] for pair in exported()}


def test_there_is_no_spreadsheet_of_pairs(rated: Study) -> None:
    assert PREFERENCE_FORMATS == ("jsonl", "parquet")
    with pytest.raises(BadPreferences, match="format: one of jsonl, parquet; got csv"):
        wanted_file(rated, Wanted(file_format="csv"))


def test_a_study_without_answers_gives_no_pairs(study: Study) -> None:
    assert exported() == exported("--from", "picks") == []


def test_an_open_study_gives_nothing(study: Study, enrolment: Enrolment) -> None:
    answer_everything(enrolment)
    with pytest.raises(Sealed):
        preferences(study, "picks")
    with pytest.raises(CommandError, match="poems: sealed while it is open"):
        exported("--from", "picks")
    assert len(exported("--unblind", "training starts before the end")) == 12
    assert study.unblindings.get().reason == "training starts before the end"


def test_the_help_states_the_rules(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("export_preferences", "--help")
    text = capsys.readouterr().out
    for rule in ("Only valid evaluators", "an exact tie gives none", "A score off its scale", "--min-margin"):
        assert rule in text


def test_pairs_of_simulated_evaluators_are_called_simulated(study: Study) -> None:
    simulate_ratings(study, evaluators=1, seed=1, effects=Effects(slip=0))
    rows = preferences(study, "picks")
    assert rows
    assert {row[list(COLUMNS).index("simulated")] for row in rows} == {True}
