"""Metrics of single texts: relevance to the prompt, length, variety, copies, nearness to a reference; no framework."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from generation.evidence.embeddings import JUDGE, Floats, embedder

# Characters stand for words where no space parts these.
UNSPACED = ("zh", "ja", "th", "lo", "km", "my", "yue", "wuu", "lzh")
TEXTS_A_STEP = 32
TITLES_AT_ONCE = 256

# Told after each step how many texts are done, of how many.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class TextToScore:
    """A text with the prompt that it was written for, and a reference, empty where there is none."""

    text: str
    prompt: str
    reference: str = ""


def units(text: str, language: str) -> list[str]:
    """Return the words of a text without marks, or its characters where no space parts words."""
    words = re.findall(r"\w+", text.casefold())
    return [character for word in words for character in word] if is_unspaced(language) else words


def is_unspaced(language: str) -> bool:
    return language.split("-")[0].lower() in UNSPACED


def length(texts: Sequence[TextToScore], language: str, progress: Progress) -> list[float]:
    """Return how many words or characters each text has."""
    return [float(len(units(one.text, language))) for one in texts]


def distinct_2(texts: Sequence[TextToScore], language: str, progress: Progress) -> list[float]:
    """Return the share of different ones among the pairs of neighbours in each text, 0 without a pair.

    Reference: Li et al. (2016), A diversity-promoting objective function for neural conversation models, NAACL.
    """
    found = []
    for one in texts:
        own = units(one.text, language)
        pairs = list(pairwise(own))
        found.append(len(set(pairs)) / len(pairs) if pairs else 0.0)
    return found


def copied(texts: Sequence[TextToScore], language: str, progress: Progress) -> list[float]:
    """Return the share of the prompt's words or characters that stand in each text."""
    found = []
    for one in texts:
        asked, own = units(one.prompt, language), set(units(one.text, language))
        found.append(sum(unit in own for unit in asked) / len(asked) if asked else 0.0)
    return found


def relevance(texts: Sequence[TextToScore], language: str, progress: Progress) -> list[float]:
    """Return how near each text lies to its prompt in an embedding space, among all texts (`evidence.embeddings`).

    In standard deviations from the mean over all texts: some prompts are near to every text.
    """
    prompts = list(dict.fromkeys(one.prompt for one in texts))
    place = {prompt: number for number, prompt in enumerate(prompts)}
    model = embedder()
    lines = ["".join(one.text.split("\n")) if is_unspaced(language) else one.text for one in texts]
    embedded = []
    for start in range(0, len(lines), TEXTS_A_STEP):
        embedded.append(model.passage(lines[start : start + TEXTS_A_STEP]).astype(np.float64))
        progress(start, len(lines))
    passages: Floats = np.concatenate(embedded)
    own = np.array([place[one.prompt] for one in texts], dtype=np.int64)
    found = np.zeros(len(texts))
    for start in range(0, len(prompts), TITLES_AT_ONCE):
        some = prompts[start : start + TITLES_AT_ONCE]
        near = passages @ model.query(some).astype(np.float64).T
        chosen = np.flatnonzero((own >= start) & (own < start + len(some)))
        columns = own[chosen] - start
        deviation = near.std(axis=0)
        gain = near[chosen, columns] - near.mean(axis=0)[columns]
        found[chosen] = gain / np.where(deviation > 0, deviation, 1.0)[columns]
    return [float(one) for one in found]


def chrf(texts: Sequence[TextToScore], language: str, progress: Progress) -> list[float]:
    """Return chrF of each text against its reference, 0 to 100 (Popovic 2015, WMT)."""
    from sacrebleu.metrics.chrf import CHRF

    metric = CHRF()
    return [float(metric.sentence_score(one.text, [one.reference]).score) for one in texts]


def bleu(texts: Sequence[TextToScore], language: str, progress: Progress) -> list[float]:
    """Return BLEU of each text against its reference, 0 to 100 (Papineni et al. 2002, ACL), with effective order."""
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(effective_order=True, tokenize="zh" if language.startswith("zh") else "13a")
    return [float(metric.sentence_score(one.text, [one.reference]).score) for one in texts]


@dataclass(frozen=True)
class Metric:
    """A metric: what exactly it is, whether it needs a reference, and what computes it for all texts of a study."""

    version: str
    compute: Callable[[Sequence[TextToScore], str, Progress], list[float]]
    needs_reference: bool = False


METRICS = {
    "relevance": Metric(JUDGE, relevance),
    "length": Metric("words, or characters where no space parts words", length),
    "distinct-2": Metric("pairs of words, or of characters", distinct_2),
    "copied": Metric("words or characters of the prompt", copied),
    "chrf": Metric("sacreBLEU 2.6.0, chrF2", chrf, needs_reference=True),
    "bleu": Metric("sacreBLEU 2.6.0, BLEU with effective order", bleu, needs_reference=True),
}
