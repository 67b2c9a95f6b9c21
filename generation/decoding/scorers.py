"""What a hypothesis is worth: the forward score, equation 3 and equation 4 of Zou et al. (KDD 2021), section 3.

With s a short sentence (after the one before it, where the two belong together), s' the inverse prompt made from it,
c_p' the inverse text, and n the number of short sentences:

    f = 1/n sum over s of l1 log p(c_p' | s')  +  l2 log p(c_g | c_p) / len(c_g)^l  -  l3 l_format(c_g)

Equation 3 is this without the last term, the forward score is log p(c_g | c_p) alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from generation.decoding.language_model import NOBODY, SHARED, LanguageModel, Reading
from generation.decoding.requests import Hypothesis, Request
from generation.methods import Weights


class Scorer:
    """Scores hypotheses as they grow. It remembers what it read for the beams, to read only what is new.

    `score` takes the children of the beams, `keep` which of them go on growing, in turns.
    """

    def __init__(self, model: LanguageModel, requests: Sequence[Request], weights: Weights) -> None:
        self.weights = weights
        self.requests = requests
        self.inverse = InverseReader(model, requests) if weights.inverse else None

    def score(self, children: Sequence[Hypothesis], parents: Sequence[int]) -> list[Hypothesis]:
        """Return the hypotheses with the inverse score of their last short sentence and all terms.

        `parents` are the places of the hypotheses' beams among those that were kept last.
        """
        if self.inverse is not None:
            scores = self.inverse.score(children, parents)
            children = [
                replace(child, sentences=(*child.sentences[:-1], replace(child.sentences[-1], inverse=score)))
                for child, score in zip(children, scores, strict=True)
            ]
        return [replace(child, terms=self.terms(child)) for child in children]

    def keep(self, survivors: Sequence[int]) -> None:
        """Go on with some of the children that were scored last."""
        if self.inverse is not None:
            self.inverse.keep(survivors)

    def terms(self, hypothesis: Hypothesis) -> dict[str, float]:
        """Return the weighted terms of a hypothesis, which add up to its score."""
        weights = self.weights
        forward = hypothesis.forward / max(hypothesis.length, 1) ** weights.length_power
        if weights.forward_floor is not None:
            forward = min(0.0, forward - weights.forward_floor)
        terms = {"forward": weights.forward * forward}
        if weights.inverse:
            scores = [sentence.inverse or 0.0 for sentence in hypothesis.sentences]
            terms["inverse"] = weights.inverse * sum(scores) / max(len(scores), 1)
        form = self.requests[hypothesis.request].form
        if weights.format and form is not None:
            terms["format"] = -weights.format * form.penalty(hypothesis.bare_sentences()).total or 0.0
        if weights.copies:
            title = set(self.requests[hypothesis.request].fields.get("title", ""))
            copied = len(title & set(hypothesis.text))
            terms["copies"] = -weights.copies * copied**weights.copies_power or 0.0
        return terms


class InverseReader:
    """Reads inverse prompts and texts, sharing the beginnings that a child has in common with its beam."""

    def __init__(self, model: LanguageModel, requests: Sequence[Request]) -> None:
        self.model = model
        self.requests = requests
        self.texts = [[model.encode(text) for text in request.inverse_texts] for request in requests]
        # What was read for the beams, a row each; at first the beams are the requests and share what all children do.
        self.reading: Reading | None = None
        self.sequences: list[list[int]] = []
        self.scored: tuple[Reading, list[list[int]]] | None = None

    def score(self, children: Sequence[Hypothesis], parents: Sequence[int]) -> list[float]:
        """Return log p(c_p' | s') of each child's last short sentence, in nats: the mean over the request's texts."""
        if not children:
            return []
        prompts = [self.inverse_prompt(child) for child in children]
        if self.reading is None:
            self.read_beginnings(prompts, parents)
        assert self.reading is not None
        device = self.model.device
        # The last token of the inverse prompt is always read, because the text is scored after it.
        shared = [
            min(common_length(prompt, self.sequences[parent]), len(prompt) - 1)
            for prompt, parent in zip(prompts, parents, strict=True)
        ]
        rows = torch.tensor(parents, device=device)
        visible = self.reading.owner[rows] == SHARED
        kept = visible & (visible.cumsum(1) <= torch.tensor(shared, device=device)[:, None])
        before = self.reading.select(rows, kept)
        own = [self.texts[child.request] for child in children]
        sums = [0.0] * len(children)
        for number in range(max(map(len, own))):
            asked = [place for place, texts in enumerate(own) if number < len(texts)]
            texts = [own[place][number] for place in asked]
            # Nothing is foretold after the last token of a text, so it need not be read.
            new = [
                prompts[place][shared[place] :] + text[:-1] for place, text in zip(asked, texts, strict=True)
            ]
            targets, is_target = pad_in_front(texts, device)  # (asked, longest)
            chosen = before if number == 0 else before.rows(torch.tensor(asked, device=device))
            reading, log_probs = self.model.extend(chosen, *pad_in_front(new, device), keep=targets.shape[1])
            foretold = log_probs.gather(2, targets[:, :, None]).squeeze(2)  # (asked, longest)
            scores = foretold.masked_fill(is_target == NOBODY, 0).sum(1).tolist()
            for place, score in zip(asked, scores, strict=True):
                sums[place] += score
            if number == 0:
                self.scored = reading, prompts
        return [total / len(texts) for total, texts in zip(sums, own, strict=True)]

    def keep(self, survivors: Sequence[int]) -> None:
        assert self.scored is not None
        reading, prompts = self.scored
        rows = torch.tensor(survivors, device=self.model.device, dtype=torch.long)
        self.sequences = [prompts[place] for place in survivors]
        visible = reading.owner[rows] == SHARED
        lengths = torch.tensor([len(prompt) for prompt in self.sequences], device=self.model.device)
        self.reading = reading.select(rows, visible & (visible.cumsum(1) <= lengths[:, None]))
        self.scored = None

    def inverse_prompt(self, child: Hypothesis) -> list[int]:
        request = self.requests[child.request]
        return self.model.encode(request.inverse_prompt(child), start=request.template.start)

    def read_beginnings(self, prompts: Sequence[list[int]], parents: Sequence[int]) -> None:
        """Read once for each request what the inverse prompts of its children have in common."""
        self.sequences = []
        for parent in range(max(parents) + 1):
            own = [prompt for prompt, its in zip(prompts, parents, strict=True) if its == parent]
            first = own[0][:-1] if own else []
            self.sequences.append(first[: min(common_length(first, prompt) for prompt in own)] if own else [])
        tokens, owner = pad_in_front(self.sequences, self.model.device)
        self.reading, _ = self.model.extend(None, tokens, owner, keep=1)


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two sequences have in common at their beginning."""
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))


def pad_in_front(
    sequences: Sequence[Sequence[int]], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return sequences as tokens and owners, (rows, longest) each: all shared, the padding nobody's."""
    longest = max(1, *(len(sequence) for sequence in sequences))
    tokens = torch.zeros((len(sequences), longest), dtype=torch.long)
    owner = torch.full((len(sequences), longest), NOBODY)
    for row, sequence in enumerate(sequences):
        if sequence:
            tokens[row, -len(sequence) :] = torch.tensor(sequence)
            owner[row, -len(sequence) :] = SHARED
    return tokens.to(device), owner.to(device)
