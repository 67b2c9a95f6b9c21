from __future__ import annotations

import json
import resource
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from generation.refusals import Refused
from generation.tests.training_cast import SHORT, TINY, StopAfter, ignore, place_of, same, verse, weights
from generation.training import pretrain
from generation.training.devices import choose_device, explain_short_memory
from generation.training.pretrain import train
from generation.training.settings import Architecture, Progress, Stopped, Training


@pytest.fixture(scope="module", autouse=True)
def small_chunks() -> Iterator[None]:
    """A chunk of the stream is as long as a short training, for which 4,096 examples would be drawn in vain."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretrain, "EXAMPLES_A_CHUNK", 300)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was trained without a stop."""
    folder = tmp_path_factory.mktemp("trained")
    train(verse(), folder, SHORT, TINY, ignore, evaluate_every=10)
    return folder


@pytest.mark.parametrize("step", [1, 9, 10])
def test_a_stopped_training_ends_with_the_same_model(trained: Path, tmp_path: Path, step: int) -> None:
    with pytest.raises(Stopped):
        train(verse(), tmp_path, SHORT, TINY, StopAfter(step), evaluate_every=10)
    assert (tmp_path / "training.pt").exists()
    assert not (tmp_path / "model.safetensors").exists()
    train(verse(), tmp_path, SHORT, TINY, ignore, evaluate_every=10)
    assert same(weights(tmp_path), weights(trained))
    assert (tmp_path / "history.json").read_text() == (trained / "history.json").read_text()


def test_a_training_goes_on_within_a_later_chunk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Chunks of 40 examples, four or five batches: the stop falls into the second.
    monkeypatch.setattr(pretrain, "EXAMPLES_A_CHUNK", 40)
    train(verse(), tmp_path / "whole", SHORT, TINY, ignore)
    with pytest.raises(Stopped):
        train(verse(), tmp_path / "stopped", SHORT, TINY, StopAfter(7))
    place = place_of(tmp_path / "stopped")
    assert sum(place["drawn"].values()) == 40
    assert 0 < place["batches"] < 7
    train(verse(), tmp_path / "stopped", SHORT, TINY, ignore)
    assert same(weights(tmp_path / "stopped"), weights(tmp_path / "whole"))


def test_a_checkpoint_is_written_on_the_way(tmp_path: Path) -> None:
    def die(progress: Progress) -> None:
        if progress.step == 3:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train(verse(), tmp_path, SHORT, TINY, die, checkpoint_seconds=0)
    assert place_of(tmp_path)["step"] == 2


def test_another_seed_gives_another_model(trained: Path, tmp_path: Path) -> None:
    train(verse(), tmp_path, replace(SHORT, seed=2), TINY, ignore)
    assert not same(weights(tmp_path), weights(trained))


def test_the_loss_falls_and_is_written_down(trained: Path) -> None:
    history = json.loads((trained / "history.json").read_text())
    assert [entry["step"] for entry in history] == [10, 20]
    vocabulary = json.loads((trained / "config.json").read_text())["vocab_size"]
    start = torch.log(torch.tensor(float(vocabulary))).item()
    assert history[1]["forward tang"] < history[0]["forward tang"] < start


def test_training_ends_with_its_tokens(trained: Path) -> None:
    record = json.loads((trained / "training.json").read_text())
    assert SHORT.tokens <= record["tokens"] < SHORT.tokens + SHORT.batch_tokens


def test_a_model_that_knows_its_poems_tells_true_from_mismatched(tmp_path: Path) -> None:
    few = [poem for poem in verse() if poem.collection == "tang"][:4]
    # The same poems held out: what it has learnt by heart it must tell apart.
    poems = [replace(poem, part=part) for part in ("train", "held_out") for poem in few]
    training = Training(tokens=60_000, batch_tokens=256, learning_rate=0.02, seed=1)
    losses = train(poems, tmp_path, training, TINY, ignore)
    assert losses["forward tang"] < 0.5
    assert losses["inverse mismatched"] - losses["inverse true"] > 0.1


def test_the_gap_is_told_a_token_and_a_title_character(trained: Path) -> None:
    losses = json.loads((trained / "training.json").read_text())["losses"]
    poems = [poem for poem in verse() if poem.part == "held_out" and poem.collection == "tang"]
    couplets = [(poem.title, place) for poem in poems for place in range(0, len(poem.sentences), 2)]
    characters = sum(len(title) for title, _ in couplets)
    assert losses["gap a token"] == losses["inverse mismatched"] - losses["inverse true"]
    # 《, 》 and the end are three tokens more.
    tokens = characters + 3 * len(couplets)
    assert losses["gap a title character"] == pytest.approx(losses["gap a token"] * tokens / characters)


def test_a_training_goes_on_from_a_finished_model(trained: Path, tmp_path: Path) -> None:
    before = json.loads((trained / "training.json").read_text())["losses"]
    longer = replace(SHORT, seed=2, learning_rate=1e-3)
    with pytest.raises(Stopped):
        train(verse(), tmp_path / "stopped", longer, TINY, StopAfter(7), start=trained)
    train(verse(), tmp_path / "stopped", longer, TINY, ignore, start=trained)
    after = train(verse(), tmp_path / "whole", longer, TINY, ignore, start=trained)
    assert after["forward tang"] < before["forward tang"]
    assert same(weights(tmp_path / "stopped"), weights(tmp_path / "whole"))
    assert "| began with | the model of checkpoint " in (tmp_path / "whole" / "README.md").read_text()
    with pytest.raises(Refused, match=r"start [0-9a-f]+ there, None here"):
        train(verse(), tmp_path / "whole", longer, TINY, ignore)


def test_a_model_of_another_architecture_is_no_beginning(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"has another architecture: .*width=32.*, not .*width=64"):
        train(verse(), tmp_path / "model", SHORT, replace(TINY, width=64), ignore, start=trained)
    assert not (tmp_path / "model").exists()


def test_transformers_loads_the_folder(trained: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(trained)
    tokenizer = AutoTokenizer.from_pretrained(trained)
    assert len(tokenizer) == model.config.vocab_size
    assert model.dtype == torch.float16
    assert (model.config.bos_token_id, model.config.eos_token_id) == (
        tokenizer.bos_token_id,
        tokenizer.eos_token_id,
    )
    tokens = tokenizer("<bos><五律>《山》：", return_tensors="pt", add_special_tokens=False)["input_ids"]
    model = AutoModelForCausalLM.from_pretrained(trained, dtype=torch.float32)
    assert model(tokens).logits.shape == (1, 6, len(tokenizer))


def test_a_finished_folder_holds_no_pickle_and_all_may_read_it(trained: Path) -> None:
    names = {path.name for path in trained.iterdir()}
    assert names == {
        "README.md",
        "config.json",
        "generation_config.json",
        "history.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "training.json",
    }
    assert all(path.stat().st_mode & stat.S_IROTH for path in trained.iterdir())


def test_half_precision_is_the_weights_rounded(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        train(verse(), tmp_path, SHORT, TINY, StopAfter(1))
    checkpoint = torch.load(tmp_path / "training.pt", weights_only=True)
    assert checkpoint["model"]["model.norm.weight"].dtype == torch.float32
    assert {weight.dtype for weight in weights(trained).values()} == {torch.float16}


def test_a_finished_model_is_left_as_it_is(trained: Path) -> None:
    before = (trained / "model.safetensors").stat().st_mtime_ns
    losses = train(verse(), trained, SHORT, TINY, StopAfter(1))
    assert losses == json.loads((trained / "training.json").read_text())["losses"]
    assert (trained / "model.safetensors").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("training", "architecture", "message"),
    [
        (replace(SHORT, tokens=99), TINY, "tokens 12000 there, 99 here"),
        (SHORT, replace(TINY, width=64), "width 32 there, 64 here"),
    ],
)
def test_other_settings_are_refused(
    trained: Path, tmp_path: Path, training: Training, architecture: Architecture, message: str
) -> None:
    with pytest.raises(Stopped):
        train(verse(), tmp_path, SHORT, TINY, StopAfter(1))
    for folder in (trained, tmp_path):
        with pytest.raises(Refused, match=f"is of another training .{message}.; choose another folder"):
            train(verse(), folder, training, architecture, ignore)


def test_another_corpus_is_refused(trained: Path) -> None:
    with pytest.raises(Refused, match=r"is of another training .corpus "):
        train(verse()[1:], trained, SHORT, TINY, ignore)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "training.pt").write_bytes(content)
    with pytest.raises(Refused, match=r"training\.pt is damaged; delete it to start anew"):
        train(verse(), tmp_path, SHORT, TINY, ignore)


def test_a_cut_off_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        train(verse(), tmp_path, SHORT, TINY, StopAfter(1))
    checkpoint = tmp_path / "training.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1000])
    with pytest.raises(Refused, match="is damaged"):
        train(verse(), tmp_path, SHORT, TINY, ignore)


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        train(verse(), tmp_path, SHORT, TINY, StopAfter(2))
    before = (tmp_path / "training.pt").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, limits[1]))
    try:
        with pytest.raises(Refused, match=r"training\.pt cannot be written .is the disk full"):
            train(verse(), tmp_path, SHORT, TINY, StopAfter(3))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "training.pt").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["training.pt"]


def test_a_corpus_with_nothing_to_learn_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        train([replace(verse()[0], part="judge")], tmp_path / "model", SHORT, TINY, ignore)
    assert not (tmp_path / "model").exists()


def test_short_memory_is_told() -> None:
    with pytest.raises(Refused, match="memory does not suffice"), explain_short_memory():
        torch.empty(2**60)
    with pytest.raises(Refused, match="memory does not suffice"), explain_short_memory():
        raise torch.OutOfMemoryError
    with pytest.raises(RuntimeError, match="shapes"), explain_short_memory():
        raise RuntimeError("shapes")


@pytest.mark.parametrize("name", ["nonsense", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(Refused, match=f"the device {name} cannot be used"):
        choose_device(name)


def test_a_number_of_threads_that_is_none_is_refused() -> None:
    with pytest.raises(Refused, match="threads must be above zero, not 0"):
        choose_device("cpu", 0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
def test_a_gpu_trains_too(tmp_path: Path) -> None:
    losses = train(verse(), tmp_path, SHORT, TINY, ignore, device=choose_device("cuda"))
    assert losses["forward tang"] > 0


def test_the_learning_rate_warms_up_stays_and_falls() -> None:
    training = Training(tokens=100, learning_rate=1.0, warm_up_steps=4, decay_share=0.5)
    assert [training.rate_at(0.0, step) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert [training.rate_at(share, 100) for share in (0.5, 0.75, 1.0, 1.1)] == [1.0, 0.5, 0.0, 0.0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layers": 0}, "layers must be above zero, not 0"),
        ({"width": 30}, "width must be a multiple of twice the heads"),
        ({"heads": -1}, "heads must be above zero"),
    ],
)
def test_an_architecture_that_cannot_be_is_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(TINY, **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tokens": 0}, "tokens must be above zero"),
        ({"learning_rate": float("nan")}, "learning-rate must be above zero, not nan"),
        ({"seed": -1}, "seed must not be negative"),
    ],
)
def test_a_training_that_cannot_be_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SHORT, **settings)
