"""Short sentences and scores of a model in this process, which remembers what it read from one call to the next."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor

from generation.decoding.language_model import Beginning, Continuation, Stop, Tokens
from generation.decoding.memory import no_memory_refused
from generation.decoding.reading import NOBODY, SHARED, Reading, ReadingModel, pad_in_front
from generation.decoding.sampling import Draws, draw
from generation.decoding.short_sentences import ends_sentence
from generation.methods import Sampling


@dataclass
class Growing:
    """A short sentence in the making: the row of its beginning, and the branch there that it grows in."""

    row: int
    branch: int
    tokens: list[int]
    log_prob: float = 0.0
    done: bool = False


@dataclass(frozen=True)
class Unread:
    """A short sentence that was written: where it grew, and its last tokens, which are not read yet."""

    row: int
    branch: int
    tokens: Tokens


class CachingWriter:
    """Writes for one search. What goes on from a text of the last call is read from there, not from its beginning."""

    def __init__(self, model: ReadingModel) -> None:
        self.model = model
        # A text neither ends before it begins nor begins with a blank.
        self.beginning = model.writable & model.visible
        self.unending = model.writable.clone()
        self.unending[list(model.ends)] = False
        self.grown: dict[Tokens, Unread] = {}
        self.reading: Reading | None = None
        self.scored = Scored(model)

    def continue_sentences(
        self, beginnings: Sequence[Beginning], samples: int, sampling: Sampling, draws: Draws
    ) -> list[list[Continuation]]:
        with no_memory_refused(self.model.name, self.model.device):
            reading, log_probs = self.read(beginnings)
            everything = growing = [
                Growing(row, branch, []) for row in range(len(beginnings)) for branch in range(samples)
            ]
            current = log_probs[[one.row for one in growing]]  # (growing, vocabulary)
            for length in count():
                # Those of a row are asked the same: one mask a row.
                of_row = torch.stack([self.allowed(one.stop, length) for one in beginnings])
                allowed = of_row[[one.row for one in growing]]
                uniform = draws.uniform([beginnings[one.row].request for one in growing])
                chosen = draw(
                    sampling, current.masked_fill(~allowed, -torch.inf), uniform.to(self.model.device)
                )
                scores = current.gather(1, chosen[:, None]).squeeze(1).tolist()
                for one, token, score in zip(growing, chosen.tolist(), scores, strict=True):
                    one.tokens.append(token)
                    one.log_prob += score
                    one.done = self.is_done(beginnings[one.row].stop, one.tokens)
                growing = [one for one in growing if not one.done]
                if not growing:
                    break
                reading, current = self.read_branches(reading, growing, len(beginnings))
        return self.finished(beginnings, everything, reading)

    def read(self, beginnings: Sequence[Beginning]) -> tuple[Reading, Tensor]:
        """Return a reading with a row for each beginning, all its tokens read, and what may follow it."""
        whole = [(*one.given, *one.written) for one in beginnings]
        device = self.model.device
        if self.reading is not None and all(tokens in self.grown for tokens in whole):
            grown = [self.grown[tokens] for tokens in whole]
            rows = torch.tensor([one.row for one in grown], device=device)
            branches = torch.tensor([one.branch for one in grown], device=device)
            before = self.reading.of_branch(rows, branches)
            new: Sequence[Tokens] = [one.tokens for one in grown]
        else:
            before, new = None, whole
        reading, log_probs = self.model.extend(before, *pad_in_front(new, device), keep=1)
        return reading, log_probs[:, -1]

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

    def allowed(self, stop: Stop, place: int) -> Tensor:
        """Return which tokens may stand at a place of a short sentence, (vocabulary,) bool."""
        if stop.characters:
            if place or not stop.head:
                return self.model.characters
            head = torch.zeros_like(self.beginning)
            head[self.model.encode(stop.head)] = True
            return head
        if place == 0 and stop.is_first:
            return self.beginning
        return self.model.writable if stop.may_end else self.unending

    def is_done(self, stop: Stop, tokens: Sequence[int]) -> bool:
        if stop.characters:
            return len(tokens) == stop.characters
        return (
            tokens[-1] in self.model.ends
            or len(tokens) == stop.most_tokens
            or ends_sentence(self.model.decode(tokens))
        )

    def finished(
        self, beginnings: Sequence[Beginning], growing: Sequence[Growing], reading: Reading
    ) -> list[list[Continuation]]:
        """Return what was sampled for each beginning, and remember where it can go on."""
        self.reading, self.grown = reading, {}
        found: list[list[Continuation]] = [[] for _ in beginnings]
        for one in growing:
            beginning = beginnings[one.row]
            mark = beginning.stop.mark
            ended = one.tokens[-1] in self.model.ends
            text = text_after(self.model, beginning.written, one.tokens[:-1] if ended else one.tokens) + mark
            dictated = self.model.encode(mark) if mark else []
            tokens = (*one.tokens, *dictated)
            self.grown.setdefault(
                (*beginning.given, *beginning.written, *tokens),
                Unread(one.row, one.branch, (one.tokens[-1], *dictated)),
            )
            found[one.row].append(Continuation(tokens, text, one.log_prob, len(one.tokens), ended))
        return found

    def log_p(self, pairs: Sequence[tuple[Tokens, Tokens]]) -> list[float]:
        with no_memory_refused(self.model.name, self.model.device):
            return self.scored.log_p(pairs) if pairs else []


class Scored:
    """Reads prefixes and texts, sharing what each prefix has in common with one that was read for the last call."""

    def __init__(self, model: ReadingModel) -> None:
        self.model = model
        self.reading: Reading | None = None
        # What each row of the reading holds, in the order of the tokens, and which row it is.
        self.sequences: list[Tokens] = []
        self.rows: list[int] = []

    def log_p(self, pairs: Sequence[tuple[Tokens, Tokens]]) -> list[float]:
        if self.reading is None:
            self.read_common([prefix for prefix, _ in pairs])
        scores: dict[tuple[Tokens, Tokens], float] = {}
        first, *others = one_of_each(dict.fromkeys(pairs))
        reading = self.read_pairs(first, scores)
        for own in others:
            self.read_pairs(own, scores)
        # What goes on from a prefix needs it once, whatever texts were scored after it.
        self.reading = reading
        self.remember([(*prefix, *text[:-1]) for prefix, text in first])
        return [scores[pair] for pair in pairs]

    def read_pairs(
        self, pairs: Sequence[tuple[Tokens, Tokens]], scores: dict[tuple[Tokens, Tokens], float]
    ) -> Reading:
        """Note the scores of pairs, and return the reading that has a row for each."""
        assert self.reading is not None
        device = self.model.device
        nearest = [self.nearest(prefix) for prefix, _ in pairs]
        rows = torch.tensor([row for row, _ in nearest], device=device)
        shared = [length for _, length in nearest]
        visible = self.reading.owner[rows] == SHARED
        kept = visible & (visible.cumsum(1) <= torch.tensor(shared, device=device)[:, None])
        # Nothing is foretold after the last token of a text, so it need not be read.
        new = [(*prefix[length:], *text[:-1]) for (prefix, text), length in zip(pairs, shared, strict=True)]
        targets, is_target = pad_in_front([text for _, text in pairs], device)  # (pairs, longest)
        reading, log_probs = self.model.extend(
            self.reading.select(rows, kept), *pad_in_front(new, device), keep=targets.shape[1]
        )
        foretold = log_probs.gather(2, targets[:, :, None]).squeeze(2)  # (pairs, longest)
        scores |= zip(pairs, foretold.masked_fill(is_target == NOBODY, 0).sum(1).tolist(), strict=True)
        return reading

    def read_common(self, prefixes: Sequence[Tokens]) -> None:
        """Read once what all prefixes have in common."""
        # What the first and the last in order have in common, all between them have too.
        first = min(prefixes)
        common = first[: common_length(first, max(prefixes))]
        self.reading, _ = self.model.extend(None, *pad_in_front([common], self.model.device), keep=1)
        self.remember([common])

    def remember(self, sequences: Sequence[Tokens]) -> None:
        self.rows = sorted(range(len(sequences)), key=sequences.__getitem__)
        self.sequences = [sequences[row] for row in self.rows]

    def nearest(self, prefix: Tokens) -> tuple[int, int]:
        """Return the row that has the longest beginning in common with a prefix, and how long that is.

        The last token of a prefix is always read, because the text is scored after it.
        """
        place = bisect_left(self.sequences, prefix)
        beside = [near for near in (place - 1, place) if 0 <= near < len(self.sequences)]
        length, row = max((common_length(prefix, self.sequences[near]), self.rows[near]) for near in beside)
        return row, min(length, len(prefix) - 1)


def one_of_each(pairs: Iterable[tuple[Tokens, Tokens]]) -> list[list[tuple[Tokens, Tokens]]]:
    """Return the pairs in as few lists as there can be that have each prefix at most once.

    Together they would need the memory of all logits at a time.
    """
    lists: list[list[tuple[Tokens, Tokens]]] = []
    times: Counter[Tokens] = Counter()
    for pair in pairs:
        if times[pair[0]] == len(lists):
            lists.append([])
        lists[times[pair[0]]].append(pair)
        times[pair[0]] += 1
    return lists


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two sequences have in common at their beginning."""
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))


def text_after(model: ReadingModel, before: Sequence[int], tokens: Sequence[int]) -> str:
    """Return the text of tokens as it reads after others: some tokenizers put spaces between tokens."""
    return model.decode([*before, *tokens])[len(model.decode(before)) :]
