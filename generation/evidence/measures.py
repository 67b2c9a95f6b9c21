"""What can be counted about poems that several methods wrote for the same titles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from generation.decoding.local_model import TransformersModel
from generation.decoding.requests import Request
from generation.evidence.copies import Corpus
from generation.evidence.diversity import distinct, share_copied, short_sentences
from generation.evidence.embeddings import similarities, standardised
from generation.evidence.likelihoods import forward_log_likelihoods, title_log_likelihoods
from generation.evidence.translation import Floats, Judge, ranks
from generation.verse.forms import PoemForm

# Measures of each poem, in the order of the tables. A rank is the place of the poem's own title among all titles.
EMBEDDING_RANK = "embedding rank"  # by embeddings, the judge that agrees with people
RANK = "rank"  # by the translation of characters, which shares neither model nor data with the methods
RANK_WITHOUT_COPIES = "rank without copies"  # the same where no character speaks for itself
RANK_BY_COPIES = (
    "rank by copies"  # by the share of the title's characters that stand in the poem, and nothing else
)
MODEL_RANK = "model rank"  # by the language model's own inverse score: circular
TITLE_COPIED = "title copied"  # that share
FORWARD = "forward"  # log p(c_g | c_p) in nats a character, by the base model
TONES, RHYME, REPETITION, LENGTH = "tones", "rhyme", "repetition", "length"  # violations of the form
COPIED = "copied sentences"  # share of the short sentences that stand in the training part
LONGEST_RUN = "longest run"  # characters in common with one poem of the training part
MEASURES = (
    EMBEDDING_RANK,
    RANK,
    RANK_WITHOUT_COPIES,
    RANK_BY_COPIES,
    MODEL_RANK,
    TITLE_COPIED,
    FORWARD,
    TONES,
    RHYME,
    REPETITION,
    LENGTH,
    COPIED,
    LONGEST_RUN,
)
# Measures of all poems of a method together: different runs of 1, 2 and 3 characters.
DISTINCT = {f"distinct-{length}": length for length in (1, 2, 3)}


@dataclass(frozen=True)
class Title:
    """A title as it was ordered and as the model reads it, with the form that every method's poem has."""

    title: str
    request: Request
    form: PoemForm


@dataclass(frozen=True)
class Yardsticks:
    """What poems are measured by; `model` is the base model whichever model wrote them."""

    judge: Judge
    training: Corpus
    model: TransformersModel


def measure(
    yardsticks: Yardsticks, titles: Sequence[Title], poems: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, Floats]]:
    """Return for each method each of `MEASURES`, (titles,); `poems` holds a poem for each title by each method."""
    requests = [title.request for title in titles]
    after_poems = {
        method: title_log_likelihoods(yardsticks.model, requests, own) for method, own in poems.items()
    }
    # A title that is likely after any poem says nothing about one.
    usual = np.concatenate(list(after_poems.values())).mean(0)  # (titles,)
    named = [title.title for title in titles]
    near = by_method(
        poems, standardised(similarities([poem for own in poems.values() for poem in own], named))
    )
    return {
        method: {
            EMBEDDING_RANK: ranks(near[method], range(len(titles))),
            **relevance(yardsticks.judge, named, own),
            MODEL_RANK: ranks(after_poems[method] - usual, range(len(titles))),
            FORWARD: forward_log_likelihoods(yardsticks.model, requests, own),
            **violations([title.form for title in titles], own),
            COPIED: np.array([yardsticks.training.share_of_sentences(poem) for poem in own]),
            LONGEST_RUN: np.array(yardsticks.training.longest_runs(own), dtype=np.float64),
        }
        for method, own in poems.items()
    }


def by_method(poems: Mapping[str, Sequence[str]], of_all: Floats) -> dict[str, Floats]:
    """Return the rows of each method's poems, one of the values of all poems (poems, titles) a poem."""
    ends = np.cumsum([len(own) for own in poems.values()])[:-1]
    return dict(zip(poems, np.split(of_all, ends), strict=True))


def relevance(judge: Judge, titles: Sequence[str], poems: Sequence[str]) -> dict[str, Floats]:
    """Return how each poem's own title ranks among all, (titles,), by the judge and by copied characters."""
    copied = np.array([[share_copied(title, poem) for title in titles] for poem in poems])  # (poems, titles)
    true = range(len(titles))
    return {
        RANK: ranks(judge.scores(poems, titles), true),
        RANK_WITHOUT_COPIES: ranks(judge.without_copies().scores(poems, titles), true),
        RANK_BY_COPIES: ranks(copied, true),
        TITLE_COPIED: copied.diagonal().copy(),
    }


def violations(forms: Sequence[PoemForm], poems: Sequence[str]) -> dict[str, Floats]:
    """Return the violations of each poem's form by kind, (poems,) each."""
    found = [form.penalty(short_sentences(poem)) for form, poem in zip(forms, poems, strict=True)]
    return {
        kind: np.array([getattr(penalty, kind) for penalty in found], dtype=np.float64)
        for kind in (TONES, RHYME, REPETITION, LENGTH)
    }


def variety(poems: Sequence[str]) -> dict[str, float]:
    """Return the shares of different runs of characters over all poems of a method."""
    return {name: distinct(poems, length) for name, length in DISTINCT.items()}
