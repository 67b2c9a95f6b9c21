"""Characters of poems translated into characters of titles, and the judge that ranks titles by it."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from generation.evidence.translation import (
    NULL,
    Judge,
    TranslationModel,
    is_background,
    ranks,
    train,
    train_judge,
)
from generation.verse.corpus import Part, Poem

TITLES = ["山中", "江上", "山江", "月夜"]
POEMS = ["山高云深", "江水东流水", "山水云", "月明夜静"]


def plain_table(
    titles: list[str], poems: list[str], rounds: int, prior: float
) -> dict[tuple[str, str], float]:
    """Fit IBM model 1 with dictionaries, one pair of characters at a time; `` stands for NULL."""
    counts = Counter("".join(titles))
    frequency = {character: count / counts.total() for character, count in counts.items()}
    sources = {"", *"".join(poems)}
    table = {(source, target): 1 / len(frequency) for source in sources for target in frequency}
    for _ in range(rounds):
        seen: dict[tuple[str, str], float] = defaultdict(float)
        for title, poem in zip(titles, poems, strict=True):
            for target in title:
                total = sum(table[source, target] for source in ["", *poem])
                for source in ["", *poem]:
                    seen[source, target] += table[source, target] / total
        for source in sources:
            total = sum(seen[source, target] + prior * frequency[target] for target in frequency)
            for target in frequency:
                table[source, target] = (seen[source, target] + prior * frequency[target]) / total
    return table


@pytest.mark.parametrize(("rounds", "prior"), [(1, 1.0), (3, 30.0), (5, 0.1)])
def test_table_is_that_of_a_plain_fit(rounds: int, prior: float) -> None:
    model = train(TITLES, POEMS, rounds=rounds, prior=prior, rarest=1)
    plain = plain_table(TITLES, POEMS, rounds, prior)
    assert set(model.rows) == set("".join(POEMS))
    assert set(model.columns) == set("".join(TITLES))
    for (source, target), probability in plain.items():
        row = model.rows[source] if source else NULL
        assert model.table[row, model.columns[target]] == pytest.approx(probability, abs=1e-12)


def test_one_round_is_what_it_is_by_hand() -> None:
    # 甲 comes from 子 or from NULL, one half each, and 乙 from 丑 or NULL. The prior adds one title character, half
    # 甲 and half 乙: 子 becomes 甲 by (1/2 + 1/2) / (1/2 + 1) = 2/3, NULL by (1/2 + 1/2) / (1 + 1) = 1/2. Over the
    # poem 子 with its NULL that is (2/3 + 1/2) / 2 for 甲 and (1/3 + 1/2) / 2 for 乙.
    model = train(["甲", "乙"], ["子", "丑"], rounds=1, prior=1.0, rarest=1)
    assert model.log_likelihoods(["子"], ["甲", "乙", "甲乙"]) == pytest.approx(
        np.log([[7 / 12, 5 / 12, 7 / 12 * 5 / 12]])
    )


def test_rare_and_unknown_characters_say_nothing() -> None:
    model = train(["山中", "山上"], ["山水", "山云"], rarest=2)
    assert set(model.rows) == set(model.columns) == {"山"}
    likelihoods = model.log_likelihoods(["山", "山埃"], ["山", "山铁", "铁塔"])
    assert likelihoods[0] == pytest.approx(likelihoods[1])
    assert likelihoods[0, 0] == pytest.approx(likelihoods[0, 1])
    assert likelihoods[0, 2] == 0


def test_without_copies_no_character_stands_for_itself() -> None:
    model = train(TITLES, POEMS, rarest=1)
    other = model.without_copies()
    assert other.table[other.rows["山"], other.columns["山"]] == 0
    assert model.table[model.rows["山"], model.columns["山"]] > 0
    assert (
        other.table[other.rows["云"], other.columns["山"]]
        == model.table[model.rows["云"], model.columns["山"]]
    )


def judge_of(background: list[str]) -> Judge:
    """Return a judge to whom 子 means 甲 three times out of four, and 丑 means 乙 likewise; NULL means nothing."""
    table = np.array([[0.0, 0.0], [0.75, 0.25], [0.25, 0.75]])
    return Judge(TranslationModel({"子": 1, "丑": 2}, {"甲": 0, "乙": 1}, table), background)


def test_score_is_the_gain_over_the_background_in_its_deviations() -> None:
    # Over the background log p(甲) is log 3/8 or log 1/8: mean log (1/8 * sqrt 3), deviation log (sqrt 3).
    # The title 甲甲 doubles all three, so it scores the same.
    scores = judge_of(["子。", "丑。"]).scores(["，子", "丑丑"], ["甲", "甲甲"])
    third = np.log(0.25 * 2 / 3 / (0.125 * np.sqrt(3))) / np.log(np.sqrt(3))
    assert scores == pytest.approx(np.array([[1, 1], [third, third]]))


def test_title_without_a_known_character_scores_nothing() -> None:
    assert judge_of(["子", "丑"]).scores(["子"], ["铁塔"]) == pytest.approx(0)


def test_ties_share_the_mean_of_their_places() -> None:
    scores = np.array([[3.0, 1.0, 2.0], [1.0, 1.0, 1.0], [0.0, 5.0, 5.0], [0.0, 1.0, 2.0]])
    assert ranks(scores, [0, 1, 2, 0]) == pytest.approx([1, 2, 1.5, 3])


def poem(title: str, part: Part) -> Poem:
    return Poem("song", part, "五绝", "", title, "", f"{title}高，{title}深。")


def test_judge_learns_from_its_own_part_alone() -> None:
    titles = ["山", "江", "月", "夜", "春", "秋", "风", "云", "花", "鸟"]
    own = [poem(title + other, "judge") for title in titles for other in titles]
    judge = train_judge([*own, *[poem("炉灶", "train")] * 9, *[poem("刀剑", "held_out")] * 9])
    assert not set("炉灶刀剑") & (set(judge.model.columns) | set(judge.model.rows))
    assert not set("炉灶刀剑") & set("".join(judge.background))


def test_background_is_no_part_of_what_the_judge_learns() -> None:
    apart = next(character for character in map(chr, range(0x4E00, 0x4F00)) if is_background(character))
    kept = [title for title in "山江月夜" if not is_background(title)]
    judge = train_judge([poem(title, "judge") for title in [apart, apart, apart, *kept * 3]])
    assert judge.background == [poem(apart, "judge").text] * 3
    assert set(judge.model.columns) == set(kept)


def test_judge_tells_poems_from_shuffled_titles() -> None:
    # Each title names what another character of the poem goes with, never itself.
    goes_with = {"山": "云", "江": "水", "月": "明", "春": "花", "秋": "叶", "雪": "寒"}
    filling = "人一不上"
    titles = [f"{key}{filling[place % 4]}" for key in goes_with for place in range(8)]
    poems = [f"{goes_with[title[0]]}{filling[place % 3]}天" for place, title in enumerate(titles)]
    model = train(titles, poems, prior=1.0, rarest=1)
    judge = Judge(model, poems)
    wanted = list(goes_with)
    scores = judge.scores(list(goes_with.values()), wanted)
    assert ranks(scores, range(6)).tolist() == [1] * 6
    assert (
        ranks(judge.without_copies().scores(list(goes_with.values()), wanted), range(6)).tolist() == [1] * 6
    )
