from __future__ import annotations

import io
import json
import re
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
    assert exported == first[:15]


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
    named = sum(row["superficial"] == "human" for row in rows)
    assert len(rows) == 60
    assert f"names the human text in {named / 60:.1%} of 60 pairs" in out.getvalue()
    assert len(read_pairs(file)) == 60
    file.write_text(json.dumps(rows[0] | {"superficial": "both"}), encoding="utf-8")
    with pytest.raises(FileRefused, match="must be human or machine"):
        read_pairs(file)
