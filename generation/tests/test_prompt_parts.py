"""A prompt has named parts, turns, an id and tags; it is stored byte for byte, and its id or all it says tells it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from generation.files.candidates import read_candidates
from generation.files.problems import FileRefused
from generation.files.prompt_fields import prompt_fields
from generation.files.prompts import read_prompts
from generation.models import GenerationRun, Method, Prompt
from generation.models.texts import prompt_heading
from generation.prompts import PromptContent
from generation.runs.claiming import order_for
from generation.runs.runs import stored_prompts

# What a rule of display, a database or a careless reader could change.
ODD = "  if a:\r\n\treturn b -- 1\n\n「可」 می‌خواهم 👩‍🚀 Å\u200b"


def write(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), newline="")
    return path


def both(**fields: Any) -> list[dict[str, Any]]:
    """Return the rows of two methods' texts for one prompt."""
    return [{**fields, "method": method, "text": f"by {method}"} for method in ("a", "b")]


def problems(path: Path) -> list[str]:
    with pytest.raises(FileRefused) as refused:
        read_candidates(path, "summary")
    return [line.removeprefix(f"{path.name}, ") for line in refused.value.lines]


def test_json_says_parts_turns_id_and_tags(tmp_path: Path) -> None:
    rows = both(
        id="007",
        prompt="Summarise.",
        source=ODD,
        parts={"glossary": "a: b"},
        turns=[{"role": "user", "text": ODD}, {"role": "assistant", "content": "Yes?"}],
        tags={"domain": "news", "length": 3},
    )
    assert read_candidates(write(tmp_path, *rows), "summary").prompts == [
        PromptContent(
            "Summarise.",
            external_id="007",
            parts=(("source", ODD), ("glossary", "a: b")),
            turns=(("user", ODD), ("assistant", "Yes?")),
            tags=(("domain", "news"), ("length", "3")),
        )
    ]


def test_columns_of_a_table_say_them_too(tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_text(
        "Prompt_ID,prompt,Source,part:Style guide,tag:domain,method,text\n"
        '007,Summarise.,"It rained.\n\nIt poured.",Short.,news,a,Rain.\n'
        '007,Summarise.,"It rained.\n\nIt poured.",Short.,news,b,Wet.\n'
        "008,Summarise.,It snowed.,,,a,Snow.\n008,Summarise.,It snowed.,,,b,White.\n"
    )
    assert read_candidates(path, "summary").prompts == [
        PromptContent(
            "Summarise.",
            external_id="007",
            parts=(("source", "It rained.\n\nIt poured."), ("Style guide", "Short.")),
            tags=(("domain", "news"),),
        ),
        PromptContent("Summarise.", external_id="008", parts=(("source", "It snowed."),)),
    ]


def test_one_instruction_with_two_contexts_is_two_prompts(tmp_path: Path) -> None:
    rows = [*both(prompt="Why?", context="It rains."), *both(prompt="Why?", context="It snows.")]
    file = read_candidates(write(tmp_path, *rows), "summary")
    assert [prompt.parts[0][1] for prompt in file.prompts] == ["It rains.", "It snows."]


def test_same_words_under_two_ids_are_two_prompts(tmp_path: Path) -> None:
    file = read_candidates(write(tmp_path, *both(prompt="Why?", id="1"), *both(prompt="Why?", id="01")), "qa")
    assert [prompt.external_id for prompt in file.prompts] == ["1", "01"]


def test_turns_or_parts_alone_are_a_prompt(tmp_path: Path) -> None:
    turns = [{"role": "user", "text": "Hello"}, {"role": "user", "text": "Are you there?"}]
    rows = [*both(turns=turns), *both(source="It rained.")]
    file = read_candidates(write(tmp_path, *rows), "summary")
    assert [prompt.heading for prompt in file.prompts] == ["Are you there?", "It rained."]


def test_parts_in_another_order_are_the_same_prompt(tmp_path: Path) -> None:
    first, second = both(prompt="Why?")
    path = write(tmp_path, first | {"parts": {"x": "1", "y": "2"}}, second | {"parts": {"y": "2", "x": "1"}})
    assert [prompt.parts for prompt in read_candidates(path, "qa").prompts] == [(("x", "1"), ("y", "2"))]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"prompt": "How?"}, "prompt: differs from that of the same prompt in line 1"),
        ({"source": "Other."}, "parts: differs from that of the same prompt in line 1"),
        ({"tags": {"domain": "law"}}, "tags: differs from that of the same prompt in line 1"),
        ({"tags": ["news"]}, 'tags: must be an object such as {"domain": "news"}'),
        ({"tags": {"domain": ["x"]}}, "tags, 'domain': must be a text, not '[\"x\"]'"),
        ({"parts": "Once."}, 'parts: must be an object such as {"source": ...}'),
        ({"parts": {"source": "Again."}}, "parts: has two that are called 'source'"),
        ({"parts": [{"text": "Nameless."}]}, "parts: has one without a name"),
        ({"parts": {"x": None}}, "parts, 'x': has no text"),
        ({"parts": {"x": "\x00"}}, "parts, 'x': holds the control character U+0000"),
        ({"source": "a" * 50_001},
         "parts, 'source': is 50,001 characters long; at most 50,000 are allowed"),
        ({"turns": "Hello"}, 'turns: must be a list such as [{"role": "user", "text": ...}]'),
        ({"turns": [{"role": "user"}]}, "turns, 'user': has no text"),
        ({"turns": [{"text": "Hello"}]}, "turns: has one without a name"),
        ({"turns": [{"role": "u", "text": "x"}] * 201}, "turns: has 201; at most 200 are allowed"),
        ({"id": ["7"]}, "id: must be a text, not '[\"7\"]'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_prompt_is_told_with_its_place(
    tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    good = both(id="7", prompt="Why?", source="It rains.", tags={"domain": "news"})
    third = good[0] | {"method": "c"} | change
    assert f"line 3, {problem}" in problems(write(tmp_path, *good, third))


def test_prompt_without_anything_is_missing(tmp_path: Path) -> None:
    assert problems(write(tmp_path, *both())) == [
        "prompt: no such column; there are: 'method', 'text'",
    ]


def test_list_of_prompts_holds_them_too(tmp_path: Path) -> None:
    rows = [{"id": "1", "prompt": "Why?", "source": one} for one in ("It rains.", "It snows.")]
    with pytest.raises(FileRefused, match="line 2, prompt: '1' stands in line 1 already"):
        read_prompts(write(tmp_path, *rows), "qa")
    del rows[0]["id"], rows[1]["id"]
    found = read_prompts(write(tmp_path, *rows), "qa").prompts
    assert [prompt.parts for prompt in found] == [(("source", "It rains."),), (("source", "It snows."),)]


def test_row_of_an_export_is_read_as_the_same_prompt(tmp_path: Path) -> None:
    whole = PromptContent(
        ODD, ODD, "007", (("z", ODD), ("a", ODD)), (("user", ODD), ("user", ODD)), (("domain", "news"),)
    )
    path = write(tmp_path, *both(**prompt_fields(whole)))
    assert read_candidates(path, "qa").prompts == [whole]


@pytest.mark.django_db
def test_prompt_is_stored_once_and_byte_for_byte() -> None:
    whole = PromptContent(
        ODD, ODD, "007", (("z", ODD), ("a", ODD)), (("user", ODD), ("user", ODD)), (("domain", "news"),)
    )
    wanted = [whole, PromptContent(ODD), PromptContent(ODD, parts=(("source", ODD),))]
    first = stored_prompts("qa", wanted)
    assert stored_prompts("qa", wanted) == first
    assert len(set(first.values())) == 3
    assert {Prompt.objects.get(pk=pk).content for pk in first.values()} == set(wanted)
    with pytest.raises(IntegrityError, match="prompt_once"), transaction.atomic():
        Prompt.of("qa", whole).save()
    with pytest.raises(IntegrityError, match="prompt_says_something"), transaction.atomic():
        Prompt.of("qa", PromptContent("", "Of what?")).save()


@pytest.mark.django_db
def test_database_finds_the_heading_that_python_finds() -> None:
    turns = (("user", "Hello"), ("assistant", "Yes?"))
    contents = [
        PromptContent("Why?", parts=(("source", "It rains."),)),
        PromptContent("", turns=turns, parts=(("source", "It rains."),)),
        PromptContent("", parts=(("source", "It rains."), ("context", "It snows."))),
    ]
    stored = stored_prompts("qa", contents)
    found = dict(Prompt.objects.values_list("pk", prompt_heading()))
    assert [found[stored[content]] for content in contents] == ["Why?", "Yes?", "It rains."]
    assert [content.heading for content in contents] == ["Why?", "Yes?", "It rains."]


@pytest.mark.django_db
def test_method_writes_for_all_that_a_prompt_says() -> None:
    run = GenerationRun(method=Method.objects.create(key="a", label="a"), seed=1)
    contents = [PromptContent("Sum up.", parts=(("source", text),)) for text in ("It rains.", "It snows.")]
    orders = [order_for(run, Prompt.of("summary", content)) for content in contents]
    assert [order.prompt for order in orders] == [
        "source:\nIt rains.\n\nSum up.",
        "source:\nIt snows.\n\nSum up.",
    ]
    assert orders[0].seed != orders[1].seed


def test_notes_hold_any_character_but_what_no_database_stores(tmp_path: Path) -> None:
    rows = both(prompt="Why?", author="𠮷田 👩‍🚀")
    assert read_candidates(write(tmp_path, *rows), "qa").rows[0].notes == {"author": "𠮷田 👩‍🚀"}
    for bad in ("\x00", "\ud800"):
        path = tmp_path / "bad.jsonl"
        path.write_text("".join(json.dumps(row | {"author": bad}) + "\n" for row in rows))
        assert "author: holds a control character" in problems(path)[0]
