from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from generation.orders import ScoredText, Written
from generation.refusals import Refused
from generation.tests.training_cast import SHORT, TINY, ignore, same, verse, weights
from generation.training import pretrain
from generation.training.own_poems import OwnPoem, Writer, draw_titles, keep_poems
from generation.training.pretrain import train
from generation.training.search_writer import search_writer
from generation.training.self_training import MakeWriter, endless_batches, self_train
from generation.training.settings import PAPER, SMALL, CycleProgress, SelfTraining, Stopped
from generation.training.vocabulary import build_tokenizer

SETTINGS = SelfTraining(titles=10, steps=3, cycles=2, batch_tokens=256, learning_rate=1e-3, seed=5)
TEXTS = {
    "五绝": "山水山水山，\n山水山水水。\n山水山水山，\n山水山水水。",
    "七绝": "山水山水山水山，\n山水山水山水水。\n山水山水山水山，\n山水山水山水水。",
}
FORMLESS = "山水，水。"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was trained for a moment."""
    folder = tmp_path_factory.mktemp("model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretrain, "EXAMPLES_A_CHUNK", 300)
        train(verse(), folder, replace(SHORT, tokens=2000), TINY, ignore)
    return folder


class Scribe:
    """A writer who remembers whose poems it wrote, and scores a poem by the length of its title."""

    def __init__(self) -> None:
        self.models: list[str] = []
        self.titles: list[str] = []

    def __call__(self, folder: Path) -> Writer:
        self.models.append(folder.name)

        def write(titles: Sequence[str]) -> list[Written]:
            self.titles += titles
            return [
                Written(ScoredText(TEXTS["五绝"], float(len(title)), {}, ()), seconds=0.1) for title in titles
            ]

        return write


def run(
    model: Path,
    output: Path,
    make_writer: MakeWriter,
    settings: SelfTraining = SETTINGS,
    titles: Sequence[str] = (),
    stop_at: tuple[int, str, int] | None = None,
) -> Path:
    def report(progress: CycleProgress) -> None:
        if (progress.cycle, progress.stage, progress.done) == stop_at:
            raise Stopped

    return self_train(model, verse(), output, settings, make_writer, report, titles=titles)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_cycle_writes_learns_and_says_what_that_did(model: Path, tmp_path: Path) -> None:
    scribe = Scribe()
    last = run(model, tmp_path, scribe)
    assert last == tmp_path / "cycle-2"
    # The second cycle's poems are by the model of the first.
    assert scribe.models == [model.name, "cycle-1"]
    for number in (1, 2):
        folder = tmp_path / f"cycle-{number}"
        record = json.loads((folder / "self_training.json").read_text())
        assert (record["cycle"], record["written"], record["kept"]) == (number, 10, 10)
        assert record["losses_before"] != record["losses_after"]
        assert len(lines(folder / "poems.jsonl")) == 10
        assert "## Self-training" in (folder / "README.md").read_text()
    assert not same(weights(tmp_path / "cycle-1"), weights(model))
    assert not same(weights(tmp_path / "cycle-2"), weights(tmp_path / "cycle-1"))


def test_a_poem_is_kept_in_the_dress_of_the_corpus(model: Path, tmp_path: Path) -> None:
    run(model, tmp_path, Scribe(), replace(SETTINGS, cycles=1), titles=["山水"])
    (poem,) = lines(tmp_path / "cycle-1" / "poems.jsonl")
    assert poem == {"title": "山水", "form": "五绝", "text": TEXTS["五绝"].replace("\n", ""), "score": 2.0}


@pytest.mark.parametrize(
    "stop_at", [(1, "writing", 8), (1, "learning", 2), (2, "writing", 8), (2, "learning", 3)]
)
def test_a_stopped_self_training_ends_with_the_same_model(
    model: Path, tmp_path: Path, stop_at: tuple[int, str, int]
) -> None:
    scribe = Scribe()
    with pytest.raises(Stopped):
        run(model, tmp_path / "stopped", scribe, stop_at=stop_at)
    whole = run(model, tmp_path / "whole", Scribe())
    assert same(weights(run(model, tmp_path / "stopped", scribe)), weights(whole))
    # No title was written for twice, before and after the stop.
    assert len(scribe.titles) == 20
    assert len(lines(whole / "poems.jsonl")) == 10


def test_a_line_that_was_cut_off_is_written_anew(model: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(model, tmp_path, Scribe(), stop_at=(1, "writing", 8))
    path = tmp_path / "cycle-1" / "poems.jsonl"
    path.write_bytes(path.read_bytes()[:-7])
    scribe = Scribe()
    run(model, tmp_path, scribe)
    assert len(scribe.titles) == 20
    assert len(lines(path)) == 10


def test_a_finished_self_training_is_left_as_it_is(model: Path, tmp_path: Path) -> None:
    run(model, tmp_path, Scribe())
    scribe = Scribe()
    run(model, tmp_path, scribe)
    assert scribe.models == []


@pytest.mark.parametrize(
    ("settings", "titles", "message"),
    [
        (replace(SETTINGS, steps=4), (), "steps 3 there, 4 here"),
        (SETTINGS, ("山",), "given titles"),
    ],
)
def test_others_in_the_same_folder_are_refused(
    model: Path, tmp_path: Path, settings: SelfTraining, titles: Sequence[str], message: str
) -> None:
    with pytest.raises(Stopped):
        run(model, tmp_path, Scribe(), stop_at=(1, "writing", 8))
    with pytest.raises(Refused, match=f"is of another training .{message}"):
        run(model, tmp_path, Scribe(), settings, titles)


def test_drawn_titles_are_of_the_training_part_and_known() -> None:
    tokenizer = build_tokenizer(verse())
    training = {poem.title for poem in verse() if poem.part == "train"}
    titles = draw_titles(verse(), tokenizer, SETTINGS, cycle=1)
    assert len(set(titles)) == 10
    assert set(titles) <= training
    assert all(tokenizer.unk_token not in tokenizer.tokenize(title) for title in titles)
    assert draw_titles(verse(), tokenizer, SETTINGS, cycle=1) == titles
    assert draw_titles(verse(), tokenizer, SETTINGS, cycle=2) != titles


def test_too_few_titles_are_told() -> None:
    with pytest.raises(Refused, match=r"the corpus has \d+ titles to write poems for, not 1500"):
        draw_titles(verse(), build_tokenizer(verse()), PAPER, cycle=1)


@pytest.mark.parametrize("title", ["", "鑫鑫"])
def test_a_given_title_that_is_not_known_is_refused(model: Path, tmp_path: Path, title: str) -> None:
    scribe = Scribe()
    with pytest.raises(Refused, match=f"the title “{title}” has characters that the model does not know"):
        run(model, tmp_path, scribe, titles=["山", title])
    assert scribe.models == []


def test_a_folder_that_is_no_verse_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="There is no folder"):
        run(tmp_path / "nowhere", tmp_path / "output", Scribe())
    assert not (tmp_path / "output").exists()


OWN = [
    OwnPoem("甲", "五绝", "a", 1.0),
    OwnPoem("乙", "", "b", 9.0),
    OwnPoem("丙", "七绝", "c", 3.0),
    OwnPoem("丁", "五绝", "d", 2.0),
]


@pytest.mark.parametrize(
    ("keep", "titles"),
    [
        ({}, "丙丁甲"),
        ({"keep_share": 0.5}, "丙丁"),
        ({"keep_share": 0.01}, "丙"),
        ({"least_score": 2.0}, "丙丁"),
        ({"least_score": 2.0, "keep_share": 0.5}, "丙"),
    ],
)
def test_the_best_poems_of_a_known_form_are_kept(keep: dict[str, Any], titles: str) -> None:
    assert "".join(poem.title for poem in keep_poems(OWN, replace(SETTINGS, **keep))) == titles


def test_it_is_told_where_no_poem_is_kept() -> None:
    with pytest.raises(Refused, match="none of the 4 poems is to be kept"):
        keep_poems(OWN, replace(SETTINGS, least_score=10))


def test_own_poems_are_learnt_without_an_author() -> None:
    poem = OwnPoem("山水", "五绝", "山水。", 1.0)
    assert poem.example == ("<bos><五绝>", "《山水》：山水。<eos>")


@pytest.mark.parametrize(("real_share", "rows"), [(0.0, 8), (0.5, 16), (0.75, 32)])
def test_real_examples_come_in_beside_own_poems(real_share: float, rows: int) -> None:
    tokenizer = build_tokenizer(verse())
    kept = [OwnPoem("山", "五绝", "水" * 40, 1.0)] * 8
    settings = replace(SETTINGS, real_share=real_share, batch_tokens=100_000)
    batch = next(endless_batches(kept, verse(), tokenizer, settings, cycle=1))
    water = torch.tensor(tokenizer.convert_tokens_to_ids("水"))
    own = batch.tokens.eq(water).sum(1).eq(40)
    assert len(batch.tokens) == rows
    assert int(own.sum()) == 8


def test_each_round_has_each_own_poem_once() -> None:
    tokenizer = build_tokenizer(verse())
    characters = "山水月人"
    kept = [OwnPoem(character, "五绝", character * 20, 1.0) for character in characters]
    stream = endless_batches(kept, verse(), tokenizer, replace(SETTINGS, batch_tokens=30), cycle=1)
    rounds = [[int(next(stream).tokens[0, 8]) for _ in characters] for _ in range(6)]
    assert all(sorted(drawn) == sorted(rounds[0]) for drawn in rounds)
    assert len({tuple(drawn) for drawn in rounds}) > 1


def test_the_rate_falls_by_half_a_cosine_to_a_tenth() -> None:
    rates = [PAPER.rate_at(step) for step in range(PAPER.steps)]
    assert rates[0] == pytest.approx(1e-4)
    assert rates[-1] == pytest.approx(1e-5)
    # In the middle half of the way; after a quarter (1 + cos 45°) / 2 of it is left.
    assert (rates[999] + rates[1000]) / 2 == pytest.approx(0.55e-4, rel=1e-6)
    assert rates[500] == pytest.approx(1e-5 + 0.9e-4 * 0.853553, rel=1e-3)


def test_the_presets_are_those_of_the_paper() -> None:
    # Section 4.4 and the appendix: titles, steps, cycles, AdamW.
    assert (PAPER.titles, PAPER.steps, PAPER.cycles) == (1500, 2000, 2)
    assert (PAPER.betas, PAPER.eps, PAPER.weight_decay, PAPER.learning_rate) == ((0.9, 0.95), 1e-6, 0.1, 1e-4)
    assert (PAPER.real_share, PAPER.final_share) == (0, 0.1)
    assert SMALL.titles < 20


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"titles": 0}, "titles must be above zero"),
        ({"keep_share": 1.5}, "keep-share must be at most 1"),
        ({"real_share": 1.0}, "real-share must be from 0 to below 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SETTINGS, **settings)


def test_the_search_writes_poems_to_learn_from(model: Path, tmp_path: Path) -> None:
    def make_writer(folder: Path) -> Writer:
        return search_writer(folder, torch.device("cpu"), seed=1)

    folder = run(model, tmp_path, make_writer, replace(SETTINGS, titles=3, cycles=1))
    poems = lines(folder / "poems.jsonl")
    assert [bool(poem["form"]) for poem in poems] == [True] * 3
    assert all(str(poem["text"]).endswith("。") for poem in poems)
    training = {poem.title for poem in verse() if poem.part == "train"}
    assert {str(poem["title"]) for poem in poems} <= training
