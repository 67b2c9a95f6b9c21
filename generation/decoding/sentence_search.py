"""Algorithm 1 of Zou et al. (KDD 2021): beam search over short sentences instead of tokens.

For each of the n beams, m next short sentences are sampled from the language model; all texts that come of it are
scored; the best n are the beams of the next round; until the most short sentences are there or all beams have ended.
What they are scored by is an argument: with the forward score alone this is the baseline, with equation 3 or 4 it is
inverse prompting. Several requests are searched side by side.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice

import torch
from torch import Tensor

from generation.decoding.language_model import NOBODY, LanguageModel, Reading
from generation.decoding.requests import MARKS, Hypothesis, Request
from generation.decoding.sampling import Draws, draw
from generation.decoding.scorers import Scorer, pad_in_front
from generation.methods import SearchConfig, Weights
from generation.orders import SentenceScore

# What may come after the mark of a short sentence that it belongs to.
CLOSERS = " \"')]*_”’）》」』】"
# One letter is an initial, or the end of e.g. and the like.
ABBREVIATION = re.compile(r"\b([A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|vs)\.$")

# Called after every round with the request's place, the short sentences done, and its best hypothesis.
Watch = Callable[[int, int, Hypothesis], None]


def search(
    model: LanguageModel,
    requests: Sequence[Request],
    weights: Weights,
    config: SearchConfig,
    watch: Watch = lambda request, sentence, best: None,
) -> list[list[Hypothesis]]:
    """Return the final hypotheses of each request, best first, at most `config.beams`, no text twice."""
    draws = Draws([request.seed for request in requests])
    scorer = Scorer(model, requests, weights)
    prompts = [model.encode(request.prompt, start=request.template.start) for request in requests]
    most_tokens = [model.positions - len(prompt) for prompt in prompts]
    sentences = Sentences(model, requests, config, most_tokens)
    reading, log_probs = model.extend(None, *pad_in_front(prompts, model.device), keep=1)
    growing = [Hypothesis(request) for request in range(len(requests))]
    ended: list[list[Hypothesis]] = [[] for _ in requests]
    for number in range(1, most_sentences(requests, config) + 1):
        # All beams begin as one, which has the children of all.
        samples = config.samples if number > 1 else config.beams * config.samples
        drafts, reading = sentences.sample(growing, reading, log_probs[:, -1], samples, draws)
        children = scorer.score([draft.child for draft in drafts], [draft.row for draft in drafts])
        # The first round's children are all of one beam.
        of_beam = [draft.row for draft in drafts] if number > 1 else range(len(children))
        chosen, ended = best_of_each(children, of_beam, ended, config)
        growing = [children[place] for place in chosen]
        for request, best in best_so_far(growing, ended):
            watch(request, number, best)
        if not growing:
            break
        scorer.keep(chosen)
        reading, log_probs = sentences.read_on(reading, [drafts[place] for place in chosen])
    finals = [
        [*ended[request], *(one for one in growing if one.request == request)]
        for request in range(len(requests))
    ]
    return [sorted(final, key=lambda hypothesis: -hypothesis.score)[: config.beams] for final in finals]


def most_sentences(requests: Sequence[Request], config: SearchConfig) -> int:
    """Return how many rounds there are at most: a form says it by itself, free text goes by the settings."""
    return max(len(request.form.lengths) if request.form else config.most_sentences for request in requests)


def best_so_far(
    growing: Sequence[Hypothesis], ended: Sequence[list[Hypothesis]]
) -> Iterator[tuple[int, Hypothesis]]:
    """Yield the best hypothesis of each request that is still being written."""
    for request in sorted({one.request for one in growing}):
        own = [*ended[request], *(one for one in growing if one.request == request)]
        yield request, max(own, key=lambda hypothesis: hypothesis.score)


def best_of_each(
    children: Sequence[Hypothesis],
    of_beam: Sequence[int],
    ended: Sequence[list[Hypothesis]],
    config: SearchConfig,
) -> tuple[list[int], list[list[Hypothesis]]]:
    """Return the places of the children that go on growing, and the ended hypotheses of each request.

    Both together are the `config.beams` best of each request within the limits of diversity; `of_beam` tells which beam
    each child is of.
    """
    chosen: list[int] = []
    still_ended = []
    for request, before in enumerate(ended):
        own = [(child, place) for place, child in enumerate(children) if child.request == request]
        pool = sorted([*((one, -1) for one in before), *own], key=lambda entry: -entry[0].score)
        survivors = list(islice(within_limits(pool, of_beam, config), config.beams))
        chosen += [place for one, place in survivors if not one.ended]
        still_ended.append([one for one, _ in survivors if one.ended])
    return chosen, still_ended


def within_limits(
    pool: Sequence[tuple[Hypothesis, int]], of_beam: Sequence[int], config: SearchConfig
) -> Iterator[tuple[Hypothesis, int]]:
    """Yield hypotheses with their places (-1: ended before), best first, as far as the limits of diversity let them."""
    children: Counter[int] = Counter()
    openings: Counter[str] = Counter()
    for one, place in pool:
        opening = one.sentences[0].text
        if config.most_of_an_opening and openings[opening] == config.most_of_an_opening:
            continue
        if place >= 0:
            if config.most_children and children[of_beam[place]] == config.most_children:
                continue
            children[of_beam[place]] += 1
        openings[opening] += 1
        yield one, place


@dataclass(frozen=True)
class Draft:
    """A sampled short sentence: the beam's row and branch that it grew in, and its tokens that are not read yet."""

    row: int
    branch: int
    unread: tuple[int, ...]
    child: Hypothesis


@dataclass
class Growing:
    """A short sentence in the making."""

    row: int
    branch: int
    request: int
    tokens: list[int]
    forward: float = 0.0
    done: bool = False


class Sentences:
    """Samples short sentences: side by side in the rows of their beams, in verse of the length that the form asks."""

    def __init__(
        self,
        model: LanguageModel,
        requests: Sequence[Request],
        config: SearchConfig,
        most_tokens: Sequence[int],
    ) -> None:
        """`most_tokens` are the tokens that the model can hold of each request's text."""
        self.model = model
        self.requests = requests
        self.config = config
        self.most_tokens = most_tokens
        # A text neither ends before it begins nor begins with a blank.
        self.beginning = model.writable & model.visible
        self.unending = model.writable.clone()
        self.unending[list(model.ends)] = False

    def sample(
        self, beams: Sequence[Hypothesis], reading: Reading, log_probs: Tensor, samples: int, draws: Draws
    ) -> tuple[list[Draft], Reading]:
        """Sample `samples` next short sentences of each beam.

        `log_probs` (beams, vocabulary) are of their first tokens. Returned are the sentences that differ, and the
        reading that has their tokens but for the last.
        """
        growing = [
            Growing(row, branch, beam.request, [])
            for row, beam in enumerate(beams)
            for branch in range(samples)
        ]
        everything = growing
        current = log_probs[[one.row for one in growing]]  # (growing, vocabulary)
        for length in count():
            # Beams of a row are asked the same: one mask a row.
            of_beam = torch.stack([self.allowed(beam, length) for beam in beams])
            allowed = of_beam[[one.row for one in growing]]
            uniform = draws.uniform([one.request for one in growing]).to(self.model.device)
            chosen = draw(self.config.sampling, current.masked_fill(~allowed, -torch.inf), uniform)
            scores = current.gather(1, chosen[:, None]).squeeze(1).tolist()
            for one, token, score in zip(growing, chosen.tolist(), scores, strict=True):
                one.tokens.append(token)
                one.forward += score
                one.done = self.is_done(beams[one.row], one.tokens)
            growing = [one for one in growing if not one.done]
            if not growing:
                break
            reading, current = self.read_branches(reading, growing, len(beams))
        return list(self.drafts(beams, everything)), reading

    def read_branches(
        self, reading: Reading, growing: Sequence[Growing], rows: int
    ) -> tuple[Reading, Tensor]:
        """Read the last token of each short sentence in its own branch.

        Returned are the reading and the log probabilities of what may follow each, (growing, vocabulary).
        """
        of_row: list[list[Growing]] = [[] for _ in range(rows)]
        for one in growing:
            of_row[one.row].append(one)
        width = max(len(own) for own in of_row)
        tokens = torch.zeros((rows, width), dtype=torch.long)
        owner = torch.full((rows, width), NOBODY)
        for row, own in enumerate(of_row):
            for place, one in enumerate(own):
                tokens[row, place] = one.tokens[-1]
                owner[row, place] = one.branch
        device = self.model.device
        reading, log_probs = self.model.extend(reading, tokens.to(device), owner.to(device), keep=width)
        places = [(row, place) for row, own in enumerate(of_row) for place in range(len(own))]
        row_of, place_of = zip(*places, strict=True)
        return reading, log_probs[list(row_of), list(place_of)]

    def read_on(self, reading: Reading, survivors: Sequence[Draft]) -> tuple[Reading, Tensor]:
        """Return a reading with a row for each survivor, all its tokens read, and what may follow it."""
        device = self.model.device
        rows = torch.tensor([draft.row for draft in survivors], device=device)
        branches = torch.tensor([draft.branch for draft in survivors], device=device)
        tokens, owner = pad_in_front([draft.unread for draft in survivors], device)
        return self.model.extend(reading.of_branch(rows, branches), tokens, owner, keep=1)

    def allowed(self, beam: Hypothesis, place: int) -> Tensor:
        """Return which tokens may stand at a place of a beam's next short sentence, (vocabulary,) bool."""
        form = self.requests[beam.request].form
        number = len(beam.sentences)
        if form is None:
            if place == 0 and number == 0:
                return self.beginning
            return self.unending if number < self.config.fewest_sentences else self.model.writable
        if place == 0 and number < len(form.heads):
            head = torch.zeros_like(self.beginning)
            head[self.model.encode(form.heads[number])] = True
            return head
        return self.model.characters

    def is_done(self, beam: Hypothesis, tokens: Sequence[int]) -> bool:
        form = self.requests[beam.request].form
        if form is not None:
            return len(tokens) == form.lengths[len(beam.sentences)]
        return (
            tokens[-1] in self.model.ends
            or len(tokens) == self.config.most_tokens
            or len(beam.tokens) + len(tokens) == self.most_tokens[beam.request]
            or ends_sentence(self.model.decode(tokens))
        )

    def drafts(self, beams: Sequence[Hypothesis], growing: Sequence[Growing]) -> list[Draft]:
        """Turn what was sampled into children of the beams, each text of a beam once."""
        drafts: dict[tuple[int, str, bool], Draft] = {}
        for one in growing:
            beam = beams[one.row]
            form = self.requests[beam.request].form
            mark = "" if form is None else form.marks[len(beam.sentences)]
            ends = one.tokens[-1] in self.model.ends
            text = self.text_after(beam, one.tokens[:-1] if ends else one.tokens) + mark
            unread = [one.tokens[-1], *self.model.encode(mark)] if mark else [one.tokens[-1]]
            tokens = (*beam.tokens, *one.tokens, *unread[1:])
            if form is None:
                ended = ends or len(tokens) == self.most_tokens[beam.request]
            else:
                ended = len(beam.sentences) + 1 == len(form.lengths)
            child = replace(
                beam,
                tokens=tokens,
                length=beam.length + len(one.tokens),
                sentences=with_sentence(beam.sentences, SentenceScore(text, one.forward)),
                ended=ended,
            )
            drafts.setdefault((one.row, text, child.ended), Draft(one.row, one.branch, tuple(unread), child))
        return list(drafts.values())

    def text_after(self, beam: Hypothesis, tokens: Sequence[int]) -> str:
        """Return the text of tokens as it reads after a beam's: some tokenizers put spaces between tokens."""
        before = self.model.decode(beam.tokens)
        return self.model.decode([*beam.tokens, *tokens])[len(before) :]


def with_sentence(before: tuple[SentenceScore, ...], new: SentenceScore) -> tuple[SentenceScore, ...]:
    """Return short sentences and a new one; blanks, or nothing but the text's end, belong to the one before."""
    if new.text.strip() or not before:
        return (*before, new)
    last = before[-1]
    return (*before[:-1], replace(last, text=last.text + new.text, forward=last.forward + new.forward))


def ends_sentence(text: str) -> bool:
    """Return whether a text is a whole short sentence: it says something, and ends with a mark or a line end.

    A mark may be followed by quotes and brackets that close. It ends nothing after a digit, where a number may go on,
    and a point nothing after an abbreviation.
    """
    if not any(character.isalnum() for character in text):
        return False
    bare = text.rstrip(CLOSERS)
    if bare[-1:] in tuple(".,:") and (bare[-2:-1].isdigit() or ABBREVIATION.search(bare)):
        return False
    return text.rstrip(" ").endswith("\n") or bare[-1:] in tuple(MARKS)
