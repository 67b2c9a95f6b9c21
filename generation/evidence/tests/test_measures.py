"""What is counted about the poems of several methods for the same titles."""

from __future__ import annotations

import numpy as np
import pytest

from generation.decoding.requests import Request
from generation.decoding.templates import VERSE
from generation.evidence import measures
from generation.evidence.copies import Corpus
from generation.evidence.measures import MEASURES, Title, Yardsticks, measure, relevance, variety, violations
from generation.evidence.translation import Judge, train
from generation.tests.tiny_models import verse_model
from generation.verse.forms import find_form

TITLES = ["明月", "青山"]
# To the judge below 月 goes with 夜, 山 with 云.
ABOUT_MOON = "夜静人初定，清光满上头。"
ABOUT_HILLS = "云起千峰白，青山一径幽。"
FORM = find_form("jueju5")


def judge() -> Judge:
    titles = ["明月", "青山", "明月", "青山", "明月", "青山"]
    poems = ["夜光", "云青", "夜清光", "云峰", "夜静", "云径"]
    return Judge(train(titles, poems, prior=1.0, rarest=1), poems)


def ordered() -> list[Title]:
    fields = {"form": "五绝", "tune": "", "author": ""}
    return [Title(title, Request(VERSE, {**fields, "title": title}), FORM) for title in TITLES]


def test_poem_about_its_title_ranks_first_and_one_about_the_other_last() -> None:
    about, crossed = [ABOUT_MOON, ABOUT_HILLS], [ABOUT_HILLS, ABOUT_MOON]
    assert relevance(judge(), TITLES, about)["rank"].tolist() == [1, 1]
    assert relevance(judge(), TITLES, crossed)["rank"].tolist() == [2, 2]


def test_copied_characters_of_the_title_are_told_apart() -> None:
    found = relevance(judge(), TITLES, [ABOUT_MOON, ABOUT_HILLS])
    assert found["title copied"].tolist() == [0, 1]
    # No poem on the moon has a character of either title.
    assert found["rank by copies"].tolist() == [1.5, 1]


def test_violations_are_those_of_the_form_by_kind() -> None:
    regular = "白日依山尽，\n黄河入海流。\n欲穷千里目，\n更上一层楼。"
    found = violations([FORM, FORM], [regular, regular.replace("楼", "山").replace("黄河", "黄")])
    assert [found[kind][0] for kind in ("tones", "rhyme", "repetition", "length")] == [0, 0, 0, 0]
    # 山 comes again and does not rhyme with 流; one character is missing.
    assert [found[kind][1] for kind in ("rhyme", "repetition", "length")] == [1, 1, 1]


def test_every_measure_is_there_for_every_method_and_title() -> None:
    yardsticks = Yardsticks(judge(), Corpus([ABOUT_HILLS]), verse_model())
    poems = {"one": [ABOUT_MOON, ABOUT_HILLS], "other": [ABOUT_HILLS, ABOUT_MOON]}
    found = measure(yardsticks, ordered(), poems)
    assert {method: set(values) for method, values in found.items()} == {
        method: set(MEASURES) for method in poems
    }
    assert all(value.shape == (2,) for values in found.values() for value in values.values())
    assert found["other"]["copied sentences"].tolist() == [1, 0]
    assert found["other"]["longest run"].tolist() == [10, 0]


def test_model_rank_subtracts_what_a_title_has_after_any_poem(monkeypatch: pytest.MonkeyPatch) -> None:
    # The titles' means over all four poems are -12 and -5: what is left is 2, 0 / 0, -1 and -2, 1 / 0, 0.
    after = iter([[[-10, -5], [-12, -6]], [[-14, -4], [-12, -5]]])
    monkeypatch.setattr(measures, "title_log_likelihoods", lambda *_: np.array(next(after), dtype=float))
    yardsticks = Yardsticks(judge(), Corpus([]), verse_model())
    poems = {"one": [ABOUT_MOON, ABOUT_HILLS], "other": [ABOUT_HILLS, ABOUT_MOON]}
    found = measure(yardsticks, ordered(), poems)
    assert [found[method]["model rank"].tolist() for method in poems] == [[1, 2], [2, 1.5]]


def test_variety_is_over_all_poems_of_a_method() -> None:
    assert variety(["山水，", "山水，"]) == pytest.approx(
        {"distinct-1": 1 / 2, "distinct-2": 1 / 2, "distinct-3": 0}
    )
    assert np.isclose(variety([ABOUT_MOON, ABOUT_HILLS])["distinct-2"], 1)
