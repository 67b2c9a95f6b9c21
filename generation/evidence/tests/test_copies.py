"""What a text has in common with a corpus, and how varied texts are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.evidence.copies import Corpus
from generation.evidence.diversity import characters, distinct, share_copied, short_sentences

CORPUS = ["床前明月光，疑是地上霜。举头望明月，低头思故乡。", "白日依山尽，黄河入海流。"]
# Few characters, so that runs are long, and marks among them.
TEXTS = st.text(alphabet="山水月，。\n", max_size=14)


def plain_longest_run(text: str, corpus: list[str]) -> int:
    text, others = characters(text), [characters(other) for other in corpus]
    runs = {text[first:last] for first in range(len(text)) for last in range(first + 1, len(text) + 1)}
    return max((len(run) for run in runs if any(run in other for other in others)), default=0)


@given(st.lists(TEXTS, max_size=4), st.lists(TEXTS, max_size=4))
def test_longest_run_is_that_of_a_plain_search(texts: list[str], corpus: list[str]) -> None:
    assert Corpus(corpus).longest_runs(texts) == [plain_longest_run(text, corpus) for text in texts]


def test_run_passes_marks_but_not_the_end_of_a_poem() -> None:
    corpus = Corpus(CORPUS)
    assert corpus.longest_runs(["今见明月光，疑是水。", "思故乡，白日。", "铁塔", ""]) == [5, 3, 0, 0]


def test_whole_poem_is_a_run_of_all_its_characters() -> None:
    assert Corpus(CORPUS).longest_runs([CORPUS[0].replace("，", "\n"), CORPUS[1]]) == [20, 10]


def test_short_sentence_is_copied_if_it_stands_as_one() -> None:
    corpus = Corpus(CORPUS)
    assert corpus.share_of_sentences("床前明月光，\n黄河入海流！明月光，新句在此中。") == pytest.approx(2 / 4)
    assert corpus.share_of_sentences("") == 0


def test_short_sentences_are_what_stands_between_marks() -> None:
    assert short_sentences("云母屏风，烛影深。\n长河、渐落？") == ["云母屏风", "烛影深", "长河", "渐落"]
    assert characters("「山 高」，水\n长。") == "山高水长"


def test_distinct_counts_runs_within_short_sentences() -> None:
    # 山山水 has 山山 山水, 山水 has 山水: 2 of 3 differ; 水山 runs over the mark and does not count.
    assert distinct(["山山水，山水。"], 2) == pytest.approx(2 / 3)
    assert distinct(["山山水，", "山水。"], 1) == pytest.approx(2 / 5)
    assert distinct(["山山水，山水。"], 3) == 1
    assert distinct(["山水。"], 3) == 0


def test_share_copied_is_of_the_titles_characters() -> None:
    assert share_copied("登铁塔", "独登高塔，") == pytest.approx(2 / 3)
    assert share_copied("", "山") == 0
