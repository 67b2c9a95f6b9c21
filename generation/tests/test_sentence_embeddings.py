"""The embeddings that guide a search, on real texts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from generation.texts.sentence_embeddings import encoder, nearness

ROOT = Path(__file__).resolve().parents[2]
RECORDS = ROOT.parent / "shared" / "reference" / "published_records" / "poem-records.jsonl"
RELEVANCE = 2


def test_text_about_its_title_is_nearest_to_it() -> None:
    texts = [
        "大雪纷飞千里白，\n寒风一夜满空山。",
        "孤舟江上行，\n流水送帆轻。",
        "将军战马踏沙场，\n万里烽烟鼓角长。",
    ]
    near = [nearness(texts, [title]) for title in ("下雪", "船", "战争")]
    assert np.argmax(near, axis=1).tolist() == [0, 1, 2]


def test_several_words_count_by_their_mean() -> None:
    text = ["江水明月夜，清光照客船。"]
    both = nearness(text, ["江上月夜", "送别"])[0]
    assert both == pytest.approx(
        (nearness(text, ["江上月夜"])[0] + nearness(text, ["送别"])[0]) / 2, abs=1e-4
    )


def test_a_text_is_as_near_alone_as_among_others() -> None:
    texts = ["江水明月夜，清光照客船。", "此别何时见，故人千里行。", "机器轰鸣夜未央。"] * 40
    assert nearness(texts, ["夜"])[:3] == [nearness([text], ["夜"])[0] for text in texts[:3]]


@pytest.mark.skipif(not RECORDS.exists(), reason="the published records are not beside the project")
def test_nearness_of_the_published_poems_follows_how_relevant_evaluators_found_them() -> None:
    tasks = json.loads(RECORDS.read_text(encoding="utf-8").splitlines()[0])["app_data"]["tasks"]
    pages = [page["groups"] for task in tasks for page in task["pages"]]
    texts = ["".join(group["content"]) for groups in pages for group in groups]
    titles = [groups[0]["title"] for groups in pages]
    near = encoder().encode(texts) @ encoder().encode(titles).T  # (texts, titles)
    near = (near - near.mean(0)) / near.std(0)
    own = np.array([near[4 * page + place, page] for page in range(len(pages)) for place in range(4)])
    rated = np.array([np.mean(group["answer_col"][RELEVANCE]) for groups in pages for group in groups])
    within = [values.reshape(-1, 4) - values.reshape(-1, 4).mean(1, keepdims=True) for values in (own, rated)]
    assert spearmanr(own, rated)[0] == pytest.approx(0.57, abs=0.01)
    assert spearmanr(*(values.ravel() for values in within))[0] == pytest.approx(0.62, abs=0.01)
