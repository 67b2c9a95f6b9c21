from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from transformers import AutoTokenizer

from generation.tests.training_cast import verse
from generation.training.vocabulary import build_tokenizer


def test_a_known_text_comes_back_as_it_was() -> None:
    tokenizer = build_tokenizer(verse())
    text = "<bos><五律>《山水》：明月山水，不见人。<eos>"
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(tokens) == text
    assert len(tokens) == 1 + 1 + 4 + 1 + 5 + 4 + 1


def test_special_tokens_are_taken_as_one() -> None:
    tokenizer = build_tokenizer(verse())
    assert tokenizer("<bos><词><eos>", add_special_tokens=False)["input_ids"] == [
        tokenizer.bos_token_id,
        tokenizer.convert_tokens_to_ids("<词>"),
        tokenizer.eos_token_id,
    ]


def test_unknown_characters_are_told_as_such() -> None:
    tokenizer = build_tokenizer(verse())
    assert tokenizer("山A𠀀", add_special_tokens=False)["input_ids"][1:] == [tokenizer.unk_token_id] * 2


def test_rare_characters_are_unknown() -> None:
    twice = [replace(verse()[1], text="鑫，鑫。焱，焱。焱。", title="", author="")]
    vocabulary = build_tokenizer(twice).get_vocab()
    assert "焱" in vocabulary
    assert "鑫" not in vocabulary


def test_characters_of_held_out_poems_are_not_counted() -> None:
    held_out = replace(verse()[0], text="鑫鑫鑫鑫鑫，鑫鑫鑫鑫鑫。", part="held_out")
    assert "鑫" not in build_tokenizer([*verse(), held_out]).get_vocab()


def test_the_same_poems_give_the_same_vocabulary() -> None:
    assert build_tokenizer(verse()).get_vocab() == build_tokenizer(list(verse())).get_vocab()


def test_a_saved_tokenizer_is_the_same(tmp_path: Path) -> None:
    tokenizer = build_tokenizer(verse())
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    text = "<bos>「山水」《月》<eos>鑫"
    assert (
        loaded(text, add_special_tokens=False)["input_ids"]
        == tokenizer(text, add_special_tokens=False)["input_ids"]
    )
    assert (loaded.bos_token, loaded.eos_token, loaded.pad_token) == ("<bos>", "<eos>", "<pad>")
