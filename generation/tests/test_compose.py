"""`manage.py compose`, with the model that comes with the project."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from generation.decoding.methods import prepare
from generation.engines.model_library import FOLDERS, VERSE, model_of
from generation.evidence.likelihoods import title_log_likelihoods
from generation.orders import Order, OrderRefused
from generation.worker import loaded, write_many

TITLE = "登埃菲尔铁塔"


def composed(*arguments: str, **options: Any) -> str:
    output = StringIO()
    call_command("compose", *arguments, stdout=output, stderr=StringIO(), **options)
    return output.getvalue()


def test_a_poem_is_printed_a_couplet_a_line() -> None:
    lines = composed("--title", TITLE, "--method", "inverse_prompting").splitlines()
    assert len(lines) == 4
    assert all(len(line) == 12 and line[5] == "，" and line[11] == "。" for line in lines)


def test_the_same_seed_prints_the_same_poem() -> None:
    options = ("--title", TITLE, "--form", "jueju5", "--seed", "5")
    assert composed(*options) == composed(*options) != composed(*options[:-1], "6")


def test_json_tells_all_that_is_known_of_the_text() -> None:
    written = json.loads(composed("--title", TITLE, "--form", "jueju5", "--json"))
    assert set(written["best"]["terms"]) == {"forward", "inverse", "format"}
    assert len(written["best"]["sentences"]) == 4
    assert len(written["runners_up"]) == 9
    assert len(written["provenance"]["checkpoint"]) == 64


def test_inverse_prompting_makes_the_title_likelier_after_the_poem_than_the_baseline_does() -> None:
    """What is optimised must be reached; whether readers agree is for the benchmarks and the studies to say."""
    model = loaded(VERSE)

    def likelihood(method: str) -> float:
        orders = [Order(method, "poem", title, form="jueju5", seed=1) for title in ("秋夜", "古寺", TITLE)]
        poems = [written.best.text for written in write_many(orders)]
        requests = [prepare(model, order)[0] for order in orders]
        return float(title_log_likelihoods(model, requests, poems).diagonal().sum())

    assert likelihood("inverse_prompting") > likelihood("search_baseline") + 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--title", ""], "title: There is no word in it."),
        (["--title", "月" * 31], "title: This is 31 characters long; at most 30 are possible."),
        (["--title", "a\x07b"], "control character U+0007"),
        (["--title", "𠮷", "--model", str(FOLDERS[VERSE])], "knows none of the characters"),
        (["--title", TITLE, "--method", "magic"], "method: magic is none of"),
        (["--title", TITLE, "--tune", "无此调"], "tune: "),
        (["--title", TITLE, "--model", "/nowhere/at/all"], "There is no folder /nowhere/at/all"),
        (["--question", "天空为什么是蓝的"], "model: none comes with the site for Chinese prose"),
    ],
)
def test_a_bad_order_is_refused_in_one_line(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError) as refused:
        composed(*arguments)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_with_a_pickle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(CommandError, match="only as a pickle"):
        composed("--title", TITLE, "--model", str(tmp_path))


def test_a_model_is_found_for_every_order_that_one_comes_for() -> None:
    assert model_of(Order("inverse_prompting", "poem", "秋夜")) == "verse"
    assert model_of(Order("inverse_prompting_st", "poem", "秋夜")) == "verse-st"
    assert model_of(Order("inverse_prompting", "qa", "Why is the sky blue?")) == "smollm2"
    assert model_of(Order("inverse_prompting", "qa", "天空", model="/a/folder")) == "/a/folder"
    with pytest.raises(OrderRefused, match="model: "):
        model_of(Order("inverse_prompting", "qa", "天空为什么是蓝的"))
