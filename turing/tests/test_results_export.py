"""The results as files, and the command that writes them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import scipy.stats
from django.core.management import CommandError, call_command
from django.test import Client

from stats.game.selection import learning, selection_rate, side_bias
from turing.models import Flag, PoemPair, Round, Scope, SourceText
from turing.results.exports import export_results, row_chunks
from turing.tests.cast import build_pairs
from turing.tests.results_cast import Answered, record
from turing.tests.test_results import as_records, in_scope, simulated
from turing.tests.test_results_page import text_of


@pytest.fixture
def pairs(db: None) -> list[PoemPair]:
    return build_pairs(20)


def exported(*arguments: str) -> str:
    output = io.StringIO()
    call_command("export_turing", *arguments, stdout=output)
    return output.getvalue()


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_json_has_every_figure_in_both_scopes(pairs: list[PoemPair]) -> None:
    rounds = simulated(pairs)
    record(rounds)
    found = json.loads(exported("json"))
    assert set(found["scopes"]) == {"all", "unflagged"}
    assert found["flagged"] == sum(bool(one.flag) for one in rounds)
    every = found["scopes"]["all"]
    assert set(every) == {
        "records", "players", "pairs_played", "machine_selected", "human_selected", "selection_rate", "clustered",
        "confidence_sequence", "verdict", "if_independent", "by_form", "by_poet", "by_round", "left_taken",
        "over_time", "pairs",
    }  # fmt: skip
    assert found["measured_at"] is None
    assert every["records"] == every["machine_selected"] + every["human_selected"] == len(rounds)
    assert list(every["by_round"]) == ["1", "2", "3", "4", "5"]
    assert len(every["over_time"]) == 4
    assert len(every["pairs"]["hardest"]) == 10


def test_csv_has_one_figure_a_row(pairs: list[PoemPair]) -> None:
    rounds = simulated(pairs)
    record(rounds)
    text = exported("csv")
    assert text.startswith('\ufeff"scope","figure","value"\r\n')
    values = {(row["scope"], row["figure"]): row["value"] for row in rows_of(text)}
    assert values["all", "records"] == str(len(rounds))
    assert float(values["unflagged", "selection_rate"]) == pytest.approx(
        sum(one.selected for one in rounds if not one.flag) / sum(not one.flag for one in rounds)
    )
    assert ("all", "by_form.jueju5.ci.0") in values


def test_poet_that_looks_like_a_formula_is_no_formula(pairs: list[PoemPair]) -> None:
    SourceText.objects.update(author="=1+1")
    record(simulated(pairs))
    assert "'=1+1" in {row["poet"] for row in rows_of(exported("csv", "--rows", "pairs"))}


def test_rounds_give_the_results_again(pairs: list[PoemPair]) -> None:
    record(simulated(pairs))
    rows = rows_of(exported("csv", "--rows", "rounds"))
    taken = [(row["choice"] != row["human_side"], row["flag"]) for row in rows]
    found = json.loads(exported("json"))["scopes"]
    assert sum(selected for selected, _ in taken) == found["all"]["machine_selected"]
    assert sum(selected for selected, flag in taken if not flag) == found["unflagged"]["machine_selected"]
    assert len({row["player_id"] for row in rows}) == found["all"]["players"]


def test_jsonl_holds_the_same_rounds_as_csv(pairs: list[PoemPair]) -> None:
    record(simulated(pairs))
    lines = [json.loads(line) for line in exported("jsonl", "--rows", "rounds").splitlines()]
    rows = rows_of(exported("csv", "--rows", "rounds"))
    assert list(lines[0]) == list(rows[0])
    assert [line["answered_at"] for line in lines] == [row["answered_at"] for row in rows]
    assert {type(line["known"]) for line in lines} == {bool} and rows[0]["known"] == "false"
    assert lines[0]["confidence"] is None and rows[0]["confidence"] == ""


def test_open_rounds_are_no_rows(pairs: list[PoemPair]) -> None:
    record(simulated(pairs, players=2))
    answered = Round.objects.count()
    one = Round.objects.first()
    assert one is not None
    spare = next(pair for pair in pairs if not Round.objects.filter(game=one.game, pair=pair).exists())
    Round.objects.filter(game=one.game, number=5).delete()
    Round.objects.create(game=one.game, number=5, pair=spare, human_side="left")
    assert len(rows_of(exported("csv", "--rows", "rounds"))) == answered - 1


def test_many_rows_come_in_chunks_and_none_is_lost(
    pairs: list[PoemPair], monkeypatch: pytest.MonkeyPatch
) -> None:
    record(simulated(pairs, players=10))
    monkeypatch.setattr("stats.reports.write_rows.ROWS_PER_CHUNK", 7)
    chunks = {form: list(row_chunks("rounds", form)) for form in ("csv", "jsonl")}
    assert len(chunks["csv"]) > 3 and len(chunks["jsonl"]) > 3
    assert len(rows_of(b"".join(chunks["csv"]).decode())) == Round.objects.count()
    assert len(b"".join(chunks["jsonl"]).splitlines()) == Round.objects.count()


def test_pairs_have_their_texts_and_counts(pairs: list[PoemPair]) -> None:
    rounds = simulated(pairs)
    record(rounds)
    rows: list[dict[str, Any]] = [
        json.loads(line) for line in exported("jsonl", "--rows", "pairs").splitlines()
    ]
    assert len(rows) == len(pairs)
    mine = [one for one in rounds if one.pair == pairs[3]]
    row = next(row for row in rows if row["number"] == pairs[3].number)
    assert (row["human_text"], row["machine_text"]) == (pairs[3].human.text, pairs[3].machine.text)
    assert (row["answered_all"], row["selected_all"]) == (len(mine), sum(one.selected for one in mine))
    assert row["answered_unflagged"] == sum(not one.flag for one in mine)


def test_export_counts_what_nobody_has_counted_yet(pairs: list[PoemPair]) -> None:
    rounds = [one for one in simulated(pairs) if one.flag != Flag.HASTY]
    record(rounds, counted=False)
    records = as_records(rounds)
    expected = selection_rate(records.selected, records.players, records.pairs)
    assert json.loads(exported("json"))["scopes"]["all"]["selection_rate"] == expected.rate


@pytest.mark.parametrize("scope", Scope)
def test_rounds_tell_what_the_tallies_cannot(pairs: list[PoemPair], scope: Scope) -> None:
    rounds = simulated(pairs)
    record(rounds)
    kept = in_scope(rounds, scope)
    found = json.loads(exported("json", "--from-rounds"))["scopes"][scope]["from_rounds"]
    # A flagged answer took a second here, any other nine.
    assert found["without_hasty"]["records"] == sum(not one.flag for one in kept)
    repeats = len(kept) - len({(one.player, one.pair.pk) for one in kept})
    assert repeats > 0
    assert found["without_repeats"]["records"] == len(kept) - repeats
    assert found["without_known"]["records"] == len(kept)
    expected = learning(as_records(kept))
    assert found["learning_per_answer"]["estimate"] == pytest.approx(expected.estimate)
    assert found["left_taken"]["ci"] == pytest.approx(side_bias(as_records(kept)).ci)


def test_a_file_is_written_whole(pairs: list[PoemPair], tmp_path: Path) -> None:
    record(simulated(pairs, players=3))
    path = tmp_path / "results.json"
    assert exported("json", "--output", str(path)) == ""
    assert json.loads(path.read_text())["scopes"]["all"]["players"] == 3
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(CommandError, match="No such file or directory"):
        exported("json", "--output", str(tmp_path / "nowhere" / "results.json"))


@pytest.mark.parametrize("arguments", [("jsonl",), ("json", "--rows", "rounds")])
def test_format_that_there_is_not_is_refused(db: None, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="only"):
        exported(*arguments)
    with pytest.raises(ValueError, match="file_format must be one of json, csv; got 'xml'"):
        export_results("xml", with_pairs=False)


def test_file_is_sent_under_its_name(client: Client, pairs: list[PoemPair]) -> None:
    record(simulated(pairs, players=3))
    response = client.get("/turing/results.csv")
    assert response.headers["Content-Disposition"] == 'attachment; filename="turing-results.csv"'
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "pairs" not in client.get("/turing/results.json").json()["scopes"]["all"]


def test_no_interval_of_a_share_leaves_0_to_1_and_the_page_has_that_of_the_file(
    client: Client, pairs: list[PoemPair]
) -> None:
    record(
        Answered(player, player, place + 1, pairs[place], selected=(player, place) == (0, 0))
        for player in range(2)
        for place in range(5)
    )
    found = client.get("/turing/results.json").json()["scopes"]["all"]
    clustered = found["clustered"]
    low = found["selection_rate"] - float(scipy.stats.t.ppf(0.975, clustered["df"])) * clustered["se"]
    assert low < -0.5
    assert clustered["ci"] == [0, 1]
    ends = list(ends_of(found))
    assert len(ends) > 6
    assert all(0 <= low <= high <= 1 for low, high in ends)
    assert "0.0 to 100.0 %" in text_of(client.get("/turing/results/").content).replace("\xa0", " ")


def ends_of(found: Any) -> Iterator[list[float]]:
    """Yield every interval in results."""
    if isinstance(found, dict):
        for name, inner in found.items():
            if name in ("ci", "wilson") and inner:
                yield inner
            else:
                yield from ends_of(inner)
