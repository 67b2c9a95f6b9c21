"""The verse models in plain torch tell what transformers tells."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from generation.decoding.local_model import TransformersModel, load_model
from generation.decoding.plain_llama import can_be_plain
from generation.decoding.plain_model import load_plain
from generation.decoding.sentence_search import search
from generation.decoding.tests.test_sentence_search import SMALL, poem
from generation.engines.model_library import FOLDERS, VERSE
from generation.methods import EQUATION_4
from generation.refusals import Refused
from generation.tests.tiny_models import small_model, verse_model

SHIPPED = FOLDERS[VERSE]
TEXT = "<bos><五律>《秋夜》王维：山中一夜雨，树杪百重泉。A<eos>"


def saved(model: TransformersModel, folder: Path) -> Path:
    model.model.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return saved(verse_model(), tmp_path / "model")


def test_log_probabilities_are_those_of_transformers() -> None:
    plain, theirs = load_plain(SHIPPED), load_model(SHIPPED)
    tokens = torch.randint(3, plain.vocabulary, (3, 40), generator=torch.Generator().manual_seed(1))
    owner = torch.full_like(tokens, -1)
    owner[1, :7] = -2  # padding
    first, expected = plain.extend(None, tokens, owner, keep=40), theirs.extend(None, tokens, owner, keep=40)
    heard = owner[:, :, None] != -2
    assert torch.allclose(first[1].where(heard, 0), expected[1].where(heard, 0), atol=1e-4, rtol=1e-5)
    further = plain.extend(first[0], tokens[:, :5], owner[:, 7:12], keep=1)[1]
    assert torch.allclose(
        further, theirs.extend(expected[0], tokens[:, :5], owner[:, 7:12], keep=1)[1], atol=1e-4, rtol=1e-5
    )
    assert plain.digest == theirs.digest


def test_texts_are_read_and_told_alike() -> None:
    plain, theirs = load_plain(SHIPPED), load_model(SHIPPED)
    assert plain.encode(TEXT, start=True) == theirs.encode(TEXT, start=True)
    assert plain.encode("秋", start=True) == theirs.encode("秋", start=True)
    tokens = plain.encode(TEXT)
    assert plain.decode(tokens) == theirs.decode(tokens)
    assert plain.marks == theirs.marks
    assert plain.unknown("秋A 霾é") == theirs.unknown("秋A 霾é") != ""
    assert plain.in_dialogue("秋") is None
    assert (plain.positions, plain.vocabulary, plain.ends) == (
        theirs.positions,
        theirs.vocabulary,
        theirs.ends,
    )
    assert plain.recommended == theirs.recommended
    for name in ("writable", "visible", "characters"):
        assert torch.equal(getattr(plain, name), getattr(theirs, name))


def test_poems_are_the_same(folder: Path) -> None:
    (plain,), (theirs,) = (
        search(model, [poem()], EQUATION_4, SMALL) for model in (load_plain(folder), load_model(folder))
    )
    assert [one.text for one in plain] == [one.text for one in theirs]
    assert plain[0].score == pytest.approx(theirs[0].score, rel=1e-5)


def test_only_an_ordinary_model_of_characters_is_plain(folder: Path, tmp_path: Path) -> None:
    assert can_be_plain(SHIPPED)
    assert can_be_plain(folder)
    assert not can_be_plain(saved(verse_model("gpt2"), tmp_path / "gpt2"))
    assert not can_be_plain(saved(small_model(), tmp_path / "bytes"))
    assert not can_be_plain(tmp_path / "nowhere")
    config = json.loads((folder / "config.json").read_text())
    config["rope_parameters"] = {"rope_type": "llama3", "rope_theta": 1e4}
    (folder / "config.json").write_text(json.dumps(config))
    assert not can_be_plain(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer_config.json"])
def test_a_damaged_folder_is_refused_in_a_line(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"\xff" * 500)
    with pytest.raises(Refused, match="cannot be loaded as a causal language model") as refused:
        load_plain(folder)
    assert "\n" not in str(refused.value)


def test_a_model_that_lacks_a_weight_is_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(Refused, match=r"model\.layers\.2"):
        load_plain(folder)


def test_composing_a_poem_imports_no_transformers() -> None:
    code = (
        "import sys\nfrom generation.decoding.methods import compose\n"
        "from generation.decoding.plain_model import load_plain\nfrom generation.orders import Order\n"
        f"from pathlib import Path\nmodel = load_plain(Path({str(SHIPPED)!r}))\n"
        "compose(model, Order('sampling', 'poem', '秋夜', form='jueju5'))\n"
        "sys.exit('transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
