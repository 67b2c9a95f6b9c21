from __future__ import annotations

import io
import json
import re
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from generation.files.problems import FileRefused
from turing.models import PoemPair
from turing.pairs.files import import_pairs, read_pairs

BOUNDARIES = settings.BASE_DIR / "fixtures" / "turing-boundaries.jsonl"
SHIPPED = settings.BASE_DIR / "fixtures" / "turing-pairs.jsonl"


def test_fifteen_hundred_pairs_come_with_the_site() -> None:
    rows = read_pairs(SHIPPED)
    assert len(rows) == 1500
    assert len({row.title for row in rows}) == len({row.machine for row in rows}) == 1500
    assert {row.method for row in rows} == {"inverse_prompting_st"}
    assert all(row.author and row.provenance and row.provenance["facts"]["checkpoint"] for row in rows)


def test_texts_that_a_machine_takes_over_come_with_the_site() -> None:
    rows = read_pairs(BOUNDARIES)
    assert len(rows) >= 50 and len({row.title for row in rows}) == len(rows)
    for row in rows:
        assert row.takeover is not None
        human, machine = (
            re.findall(r"[^，。！？]+[，。！？]", text.replace("\n", "")) for text in (row.human, row.machine)
        )
        assert machine[: row.takeover - 1] == human[: row.takeover - 1]
        assert machine[row.takeover - 1] != human[row.takeover - 1]


def test_exported_pairs_are_those_that_were_imported(db: None, tmp_path: Path) -> None:
    given, file = tmp_path / "given.jsonl", tmp_path / "exported.jsonl"
    with SHIPPED.open(encoding="utf-8") as lines:
        given.write_text("".join(islice(lines, 20)), encoding="utf-8")
    assert len(import_pairs(given).pairs) == PoemPair.objects.count() == 20
    call_command("export_pairs", count=15, output=file, stdout=io.StringIO())
    exported, first = (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] for path in (file, given)
    )
    # Of fifteen pairs no classifier says anything.
    assert exported == [
        {name: value for name, value in row.items() if name != "superficial"} for row in first[:15]
    ]


def test_pairs_that_their_characters_tell_least_are_written_with_what_a_classifier_says(
    db: None, tmp_path: Path
) -> None:
    given, file = tmp_path / "given.jsonl", tmp_path / "exported.jsonl"
    with SHIPPED.open(encoding="utf-8") as lines:
        given.write_text("".join(islice(lines, 120)), encoding="utf-8")
    import_pairs(given)
    out = io.StringIO()
    call_command("export_pairs", count=60, alike=True, output=file, stdout=out)
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 60
    # Where the surface tells nothing a coin is thrown, and the row says nothing.
    named = Counter(row.get("superficial") for row in rows)
    right = round(named["human"] + named[None] / 2) / 60
    assert f"names the human text in {right:.1%} of 60 pairs" in out.getvalue()
    assert len(read_pairs(file)) == 60
    file.write_text(json.dumps(rows[0] | {"superficial": "both"}), encoding="utf-8")
    with pytest.raises(FileRefused, match="must be human or machine"):
        read_pairs(file)


def test_of_the_texts_that_a_search_ended_with_the_least_telling_is_written_with_its_own_score(
    db: None, tmp_path: Path
) -> None:
    given, file = tmp_path / "given.jsonl", tmp_path / "exported.jsonl"
    with SHIPPED.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in islice(lines, 120)]
    for number, row in enumerate(rows):
        # The human text of another pair of the same form: nothing but its characters could tell it.
        other = next(
            one for one in [*rows[number + 1 :], *rows] if one["form"] == row["form"] and one is not row
        )
        row["provenance"]["facts"].pop("rank", None)
        row["provenance"]["runners_up"] = [
            {"text": row["human"] + "多", "score": -9.0, "terms": {"forward": -9.0}, "sentences": []},
            {"text": other["human"], "score": -8.0, "terms": {"forward": -8.0}, "sentences": []},
        ]
    given.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    import_pairs(given)
    out = io.StringIO()
    call_command("export_pairs", count=120, alike=True, output=file, stdout=out)
    written = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    ranks = [row["provenance"]["facts"].get("rank", 0) for row in written]
    # The text of another length is never taken, and of the two that fit mostly the one that tells nothing.
    assert set(ranks) == {0, 2} and ranks.count(2) > 60
    assert all(row["provenance"]["score"] == -8.0 for row, rank in zip(written, ranks, strict=True) if rank)
    assert all("runners_up" not in row["provenance"] for row in written)
    shares = [float(re.findall(r"([0-9.]+)% of 120", out.getvalue())[0])]
    assert shares[0] < 75
