from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from annotations.protocols.protocol import BadJudgement, Judged, Judgements, Protocol
from annotations.protocols.table import PROTOCOLS

JUDGED = [one for one in PROTOCOLS.values() if one.answer is not None]


@dataclass
class AskedBy:
    preference_scale: str = "choice"


def arrays(judged: list[Judged], texts: int) -> Judgements:
    """Return answers to pages of so many texts as arrays."""
    places = [one.places or () for one in judged]
    return Judgements(
        preference=np.array([one.preference or 0 for one in judged]),
        both_bad=np.array([one.both_bad for one in judged]),
        places=np.array([[*place, *([-1] * (texts - len(place)))] for place in places], dtype=np.int64),
        texts=np.full(len(judged), texts),
    )


def test_every_package_of_a_protocol_is_in_the_table() -> None:
    folder = Path(__file__).parents[1]
    packages = {path.parent.name for path in folder.glob("*/__init__.py")} - {"tests"}
    assert packages == set(PROTOCOLS)
    assert all(key == one.key and len(key) <= 20 for key, one in PROTOCOLS.items())


@pytest.mark.parametrize("scale", ["choice", "steps"])
@pytest.mark.parametrize("protocol", JUDGED, ids=lambda one: one.key)
def test_a_simulated_answer_is_one_that_the_protocol_takes(protocol: Protocol, scale: str) -> None:
    assert protocol.answer is not None
    answer, asked_by, size = protocol.answer, AskedBy(scale), max(protocol.fewest, min(4, protocol.most))
    worth = [1.0, 3.5, 2.0, 2.1][:size]
    judged = answer.simulated(asked_by, worth)
    number = answer.number_of(asked_by, judged)
    assert answer.read(asked_by, number, judged.places, size) == judged
    scores = answer.scores(arrays([judged], size), asked_by)[0]
    assert scores.argmax() == 1
    assert scores.argmin() == 0
    assert scores.sum() == pytest.approx(size / 2)


@pytest.mark.parametrize(("scale", "most"), [("choice", 4), ("steps", 5)])
def test_each_number_of_a_preference_comes_back_as_the_same_number(scale: str, most: int) -> None:
    answer = PROTOCOLS["pairwise"].answer
    assert answer is not None
    asked_by = AskedBy(scale)
    read = [answer.read(asked_by, number, None, 2) for number in range(1, most + 1)]
    assert len(set(read)) == most
    assert [answer.number_of(asked_by, one) for one in read] == list(range(1, most + 1))
    assert [option.number for option in answer.page.options(asked_by)] == list(range(1, most + 1))


def test_the_difference_of_two_scores_is_the_preference() -> None:
    answer = PROTOCOLS["pairwise"].answer
    assert answer is not None
    steps = [Judged(preference=preference) for preference in (-2, -1, 0, 1, 2)]
    scores = answer.scores(arrays(steps, 2), AskedBy("steps"))
    assert (scores[:, 1] - scores[:, 0]).tolist() == [-1, -0.5, 0, 0.5, 1]
    choices = [Judged(preference=-1), Judged(preference=0, both_bad=True), Judged(preference=1)]
    assert answer.scores(arrays(choices, 2), AskedBy()).tolist() == [[1, 0], [0.5, 0.5], [0, 1]]


def test_the_score_of_a_rank_is_the_share_of_the_others_behind_it() -> None:
    answer = PROTOCOLS["ranking"].answer
    assert answer is not None
    scores = answer.scores(arrays([Judged(places=(2, 0, 1, 3))], 4), AskedBy())
    assert scores.tolist() == [[2 / 3, 1 / 3, 1, 0]]


def test_of_a_page_the_best_has_one_the_worst_nothing_and_the_others_one_half() -> None:
    answer = PROTOCOLS["best_worst"].answer
    assert answer is not None
    scores = answer.scores(arrays([Judged(places=(3, 1))], 4), AskedBy())
    assert scores.tolist() == [[0.5, 0, 0.5, 1]]


@pytest.mark.parametrize(
    ("key", "number", "places"),
    [
        ("pairwise", 5, None),
        ("pairwise", 0, None),
        ("pairwise", None, [0, 1]),
        ("ranking", None, [0, 0]),
        ("ranking", 1, None),
        ("ranking", None, [0, 1, 2, 3]),
        ("best_worst", None, [0, 1, 2]),
        ("best_worst", None, None),
    ],
)
def test_an_answer_that_the_protocol_does_not_have_is_refused_in_words(
    key: str, number: int | None, places: list[int] | None
) -> None:
    answer = PROTOCOLS[key].answer
    assert answer is not None
    with pytest.raises(BadJudgement, match="An answer is"):
        answer.read(AskedBy(), number, places, 3)
