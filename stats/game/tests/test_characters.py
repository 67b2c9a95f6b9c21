"""What characters tell: nothing of texts of one kind, and what a filter leaves tells nothing any more."""

from __future__ import annotations

import random

import numpy as np
import scipy.stats

from stats.game.characters import (
    Characters,
    character_margins,
    choose_alike,
    draw_alike,
    hardest_pairs,
    rarity_margins,
)
from stats.game.superficial import superficial

COMMON = "山水云月风花雪夜江城草木人心天地春秋钟声"
RARE = "瀼鬐氎蘼隰簋耜钺蹇霰"


def poems(count: int, seed: int, *, rare: float = 0.0, habit: float = 0.0) -> list[str]:
    """Return poems of twenty characters, with rare ones in such a share, and a pair of neighbours in so many poems."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        letters = [rng.choice(RARE if rng.random() < rare else COMMON) for _ in range(20)]
        if rng.random() < habit:
            letters[4:6] = "人心"
        made.append("".join(letters[:10]) + "，\n" + "".join(letters[10:]) + "。")
    return made


def share(margins: np.ndarray) -> float:
    return float(np.mean(margins > 0) + np.mean(margins == 0) / 2)


def test_texts_of_one_kind_are_told_apart_no_better_than_by_a_coin() -> None:
    humans, machines = poems(400, 1), poems(400, 2)
    for margins in (rarity_margins(humans, machines), character_margins(humans, machines)):
        assert scipy.stats.binomtest(round(400 * share(margins)), 400).pvalue > 0.01


def test_rarer_characters_name_the_human_text() -> None:
    humans, machines = poems(200, 1, rare=0.2), poems(200, 2, rare=0.02)
    assert share(rarity_margins(humans, machines)) > 0.9
    assert share(rarity_margins(machines, humans)) < 0.1
    found = superficial(humans, machines)
    assert found is not None and found.by in {"rarity", "characters"} and found.share > 0.9


def test_a_habit_of_neighbours_names_the_machine_s_text() -> None:
    humans, machines = poems(400, 1), poems(400, 2, habit=0.9)
    assert share(character_margins(humans, machines)) > 0.8
    found = superficial(humans, machines)
    assert found is not None and found.by == "characters"


def test_words_of_an_alphabet_count_as_one_character() -> None:
    learned = Characters(["the cat sat", "the dog sat", "the 山 sat"])
    assert set(learned.columns) == {"the", "sat"}
    assert learned.knows("sat the") and not learned.knows("the cat")
    assert learned.rarity("cat") > learned.rarity("the")
    assert learned.rarity("") == 0
    assert learned.features(["", "the sat"]).shape == (2, 3)


def test_texts_chosen_alike_are_not_told_by_their_characters() -> None:
    humans = poems(300, 1, rare=0.1)
    choices = [
        list(own)
        for own in zip(
            poems(300, 2), poems(300, 3, rare=0.1), poems(300, 4, rare=0.3, habit=0.5), strict=True
        )
    ]
    first = [own[0] for own in choices]
    assert share(rarity_margins(humans, first)) > 0.75
    places = choose_alike(humans, choices)
    chosen = [own[place] for own, place in zip(choices, places, strict=True)]
    assert share(rarity_margins(humans, chosen)) < 0.6
    assert share(character_margins(humans, chosen)) < 0.6
    assert places == choose_alike(humans, choices)


def test_a_text_without_another_choice_is_the_one_that_is_taken() -> None:
    assert choose_alike(["山水", "风花", "雪月"], [["云"], ["江"], ["天"]]) == [0, 0, 0]


def test_texts_drawn_alike_are_not_told_by_their_characters() -> None:
    machines = poems(300, 1, rare=0.02, habit=0.5)
    pool = poems(1500, 2, rare=0.02, habit=0.3) + poems(1500, 3, rare=0.3)
    at_random = random.Random(4).sample(pool, 300)
    assert share(rarity_margins(at_random, machines)) > 0.65
    places = draw_alike(pool, ["one", "other"] * 1500, machines, {"one": 200, "other": 100}, seed=5)
    assert len(set(places)) == 300
    assert sum(place % 2 == 0 for place in places) == 200
    drawn = [pool[place] for place in places]
    assert share(rarity_margins(drawn, machines)) < 0.6
    assert share(character_margins(drawn, machines)) < 0.6
    assert places == draw_alike(pool, ["one", "other"] * 1500, machines, {"one": 200, "other": 100}, seed=5)


def test_a_character_that_stands_nowhere_else_is_not_drawn() -> None:
    pool = [*poems(60, 1), "龘龘龘龘龘龘龘龘龘龘，\n龘龘龘龘龘龘龘龘龘龘。"]
    places = draw_alike(pool, ["one"] * 61, poems(60, 2), {"one": 61}, seed=1)
    assert places == list(range(60))


def test_what_is_left_of_the_pairs_is_told_less_well() -> None:
    humans, machines = poems(400, 1, rare=0.1), poems(400, 2, rare=0.05)
    before = share(rarity_margins(humans, machines))
    kept = hardest_pairs(humans, machines, 200)
    assert len(set(kept)) == 200
    after = share(rarity_margins([humans[one] for one in kept], [machines[one] for one in kept]))
    assert before > 0.7 and after < 0.6
    assert len(hardest_pairs(humans, machines, 1000)) == 400
