from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from generation.decoding.local_model import load_model
from generation.decoding.memory import no_memory_refused
from generation.refusals import Refused
from generation.tests.tiny_models import verse_model

Damage = Callable[[Path], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small model that can be loaded."""
    saved = tmp_path / "model"
    verse_model().model.save_pretrained(saved)
    verse_model().tokenizer.save_pretrained(saved)
    return saved


def rewrite_config(folder: Path, **values: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def refusal_of(source: Path, **options: str) -> str:
    with pytest.raises(Refused) as refusal:
        load_model(source, **options)
    message = str(refusal.value)
    assert "\n" not in message
    return message.replace(str(source), "FOLDER")


def test_a_saved_model_tells_what_it_told_before(folder: Path) -> None:
    loaded, tokens = load_model(folder), torch.tensor([[5, 6, 7]])
    owner = torch.full_like(tokens, -1)
    before = verse_model().extend(None, tokens, owner, keep=3)[1]
    assert torch.allclose(loaded.extend(None, tokens, owner, keep=3)[1], before, rtol=1e-5, atol=1e-5)
    assert re.fullmatch("[0-9a-f]{64}", loaded.digest)


def test_half_the_bytes_tell_nearly_the_same(folder: Path) -> None:
    loaded, tokens = load_model(folder, dtype="bfloat16"), torch.tensor([[5, 6, 7]])
    owner = torch.full_like(tokens, -1)
    exact = verse_model().extend(None, tokens, owner, keep=3)[1]
    found = loaded.extend(None, tokens, owner, keep=3)[1]
    assert found.dtype == torch.float32
    assert float(found.exp().sum(-1).sub(1).abs().max()) < 1e-4
    assert 1e-4 < float((found - exact).abs().max()) < 0.3


def test_other_weights_have_another_digest(folder: Path) -> None:
    before = load_model(folder).digest
    weights = load_file(folder / "model.safetensors")
    save_file({name: weight * 2 for name, weight in weights.items()}, folder / "model.safetensors")
    assert load_model(folder).digest != before


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal_of(tmp_path / "nowhere") == "There is no folder FOLDER"


def without(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


def only_a_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def truncated(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def overwritten(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\xff" * 5000)


def of_another_shape(folder: Path) -> None:
    rewrite_config(folder, hidden_size=64)


def with_a_gap(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without("config.json"), "FOLDER is no model: it has no config.json"),
        (without("model.safetensors"), r"FOLDER has no weights \(\*\.safetensors\)"),
        (
            only_a_pickle,
            r"FOLDER has its weights only as a pickle \(pytorch_model\.bin\), which can run code; .+",
        ),
        (without("tokenizer.json"), "FOLDER cannot be loaded as a causal language model: .+"),
        (truncated, "FOLDER cannot be loaded .*not fully covered"),
        (overwritten, "FOLDER cannot be loaded .*header.*"),
        (of_another_shape, "FOLDER cannot be loaded .+"),
        (with_a_gap, r"FOLDER lacks 1 of its weights, model\.layers\.1\.mlp\.up_proj\.weight for one"),
        (lambda folder: (folder / "config.json").write_text("{"), "FOLDER cannot be loaded .*valid JSON.*"),
        (lambda folder: (folder / "config.json").write_text("[]"), "FOLDER cannot be loaded .+"),
        (
            lambda folder: (folder / "config.json").write_text('{"model_type": "vit"}'),
            "FOLDER cannot be loaded .*ViTConfig.*",
        ),
    ],
)
def test_a_damaged_folder_is_refused_in_a_line(folder: Path, damage: Damage, message: str) -> None:
    damage(folder)
    assert re.fullmatch(message, refusal_of(folder))


@pytest.mark.parametrize(("model_type", "is_refused"), [("own", True), ("llama", False)])
def test_code_that_comes_with_a_model_is_not_run(folder: Path, model_type: str, is_refused: bool) -> None:
    ran = folder / "ran"
    (folder / "own.py").write_text(f"open({str(ran)!r}, 'w')\n")
    own = {
        "AutoConfig": "own.OwnConfig",
        "AutoModelForCausalLM": "own.OwnModel",
        "AutoTokenizer": "own.OwnTokenizer",
    }
    rewrite_config(folder, model_type=model_type, auto_map=own)
    if is_refused:
        assert "custom code" in refusal_of(folder)
    else:
        load_model(folder)
    assert not ran.exists()


def test_a_type_of_number_that_is_not_known_is_refused(folder: Path) -> None:
    assert refusal_of(folder, dtype="float99") == "dtype: float99 is none of float32, bfloat16"


def test_a_device_that_is_not_there_is_refused(folder: Path) -> None:
    assert refusal_of(folder, device="nowhere").startswith(
        "FOLDER cannot be loaded as a causal language model: "
    )


LOAD_IN_LITTLE_MEMORY = """
import resource, sys
from generation.decoding.local_model import load_model
from generation.refusals import Refused
import transformers.models.llama.modeling_llama
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
most = used + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (most, most))
try:
    load_model(sys.argv[1])
except Refused as refusal:
    print(refusal)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited by Linux' own means")
@pytest.mark.parametrize("spare", [2**30, 5 * 2**30], ids=["to map the file", "for the weights"])
def test_a_model_that_does_not_fit_into_memory_is_refused(folder: Path, spare: int) -> None:
    # A file of 4 GB that takes no room on the disk: its weights are a hole.
    rows = 2**26
    rewrite_config(folder, vocab_size=rows)
    tokens = {"dtype": "F16", "shape": [rows, 32], "data_offsets": [0, rows * 64]}
    header = json.dumps({"model.embed_tokens.weight": tokens}).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + rows * 64)
    command = [sys.executable, "-c", LOAD_IN_LITTLE_MEMORY, str(folder), str(spare)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.stdout == f"{folder} does not fit into the memory of cpu\n", made.stderr[-2000:]


def test_memory_that_runs_out_while_writing_is_told_in_a_line() -> None:
    with (
        pytest.raises(Refused, match=r"^tiny does not fit into the memory of cpu$"),
        no_memory_refused("tiny", "cpu"),
    ):
        torch.empty(2**60)
    with pytest.raises(RuntimeError, match="shape"), no_memory_refused("tiny", "cpu"):
        torch.empty(2).reshape(3)
