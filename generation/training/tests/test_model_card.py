from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from generation.training.model_card import write_card

TRAINING: dict[str, Any] = {
    "settings": {
        "tokens": 25_000_000,
        "batch_tokens": 6144,
        "learning_rate": 0.003,
        "decay_share": 0.5,
        "seed": 7,
        "layers": 6,
        "width": 256,
        "heads": 4,
        "inner": 704,
        "corpus": "abc123",
    },
    "poems": [
        ["tang", "五绝", "held_out", 64],
        ["tang", "五绝", "train", 3643],
        ["ci", "词", "train", 17450],
    ],
    "parameters": 6_789_012,
    "vocabulary": 7617,
    "steps": 4321,
    "tokens": 25_003_456,
    "seconds": 9000,
    "device": "cpu",
    "threads": 2,
    "versions": {"python": "3.11.7", "torch": "2.13.0", "transformers": "5.23.0"},
    "losses": {
        "forward tang": 3.9012,
        "inverse true": 3.7,
        "inverse mismatched": 4.0123,
        "gap a token": 0.3123,
        "gap a title character": 0.4512,
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "training.json").write_text(json.dumps(TRAINING))
    return tmp_path


def card_of(folder: Path) -> str:
    write_card(folder)
    return (folder / "README.md").read_text()


def test_the_card_states_what_was_measured(folder: Path) -> None:
    card = card_of(folder)
    assert "| Quan Tang Shi | 五绝 | 3,643 | 64 | 0 |" in card
    assert "| Quan Song Ci | 词 | 17,450 | 0 | 0 |" in card
    assert "| parameters | 6,789,012, in half precision here |" in card
    assert "| learnt | 25,003,456 tokens (padding included), 4,321 steps |" in card
    assert "| time | 2.5 hours of steps |" in card
    assert (
        "| forward tang | 3.901 | title, author (in half of the poems), poem and end after the form; Tang |"
        in card
    )
    assert "| gap a token | 0.312 | the difference of the two: what inverse prompting feeds on |" in card
    assert "| gap a title character | 0.451 |" in card
    assert "abc123" in card


def test_the_card_names_data_licence_split_limits_and_use(folder: Path) -> None:
    card = card_of(folder)
    for words in ("MIT licence", "hash of the title", "## Limits and intended use", "public domain"):
        assert words in card


def test_a_card_without_evidence_has_no_place_for_it(folder: Path) -> None:
    card = card_of(folder)
    assert "## Self-training" not in card
    assert [line for line in card.splitlines() if line.startswith("## ")] == [
        "## Data",
        "## Architecture and training",
        "## Losses on held-out verse",
        "## Limits and intended use",
    ]


def test_evidence_is_shown_with_its_command(folder: Path) -> None:
    evidence = [
        {
            "title": "Speed",
            "command": "python -m benchmarks.generation.search_speed",
            "text": "Against one token at a time.",
            "columns": ["method", "seconds"],
            "rows": [["batched", 1.04]],
        }
    ]
    (folder / "evidence.json").write_text(json.dumps(evidence))
    card = card_of(folder)
    assert (
        "## Speed\nAgainst one token at a time.\n\n| method | seconds |\n| --- | --- |\n| batched | 1.04 |\n"
        in card
    )
    assert "Measured with `python -m benchmarks.generation.search_speed`." in card


def test_self_training_is_shown_with_what_it_did(folder: Path) -> None:
    record = {
        "settings": {
            "cycles": 2,
            "steps": 2000,
            "batch_tokens": 512,
            "learning_rate": 1e-4,
            "final_share": 0.1,
            "real_share": 0.25,
        },
        "cycle": 2,
        "written": 1500,
        "kept": 750,
        "losses_before": {"forward tang": 3.9},
        "losses_after": {"forward tang": 4.25},
    }
    (folder / "self_training.json").write_text(json.dumps(record))
    card = card_of(folder)
    assert "| own poems learnt from | 750 of 1,500, 25% real poems beside them |" in card
    assert "| cycle | 2 of 2 |" in card
    assert "| forward tang | 3.900 | 4.250 |" in card


def test_remarks_are_shown(folder: Path) -> None:
    remark = "The mixture was changed after 7.5 million tokens."
    (folder / "training.json").write_text(json.dumps({**TRAINING, "remarks": remark}))
    assert f"| remarks | {remark} |" in card_of(folder)
