"""What a hypothesis is worth: the forward score, equation 3 and equation 4 of Zou et al. (KDD 2021), section 3.

With s a short sentence (after the one before it, where the two belong together), s' the inverse prompt made from it,
c_p' the inverse text, and n the number of short sentences:

    f = 1/n sum over s of l1 log p(c_p' | s')  +  l2 log p(c_g | c_p) / len(c_g)^l  -  l3 l_format(c_g)

Equation 3 is this without the last term, the forward score is log p(c_g | c_p) alone. A guided search adds how near the
text is in meaning to what it is about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from generation.decoding.language_model import LanguageModel, Tokens
from generation.decoding.requests import Hypothesis, Request
from generation.methods import Weights
from generation.texts.sentence_embeddings import nearness


class Scorer:
    """Scores hypotheses as they grow."""

    def __init__(self, model: LanguageModel, requests: Sequence[Request], weights: Weights) -> None:
        self.model = model
        self.weights = weights
        self.requests = requests
        self.writer = model.writer()
        self.inverse_texts = [
            [tuple(model.encode(text)) for text in request.inverse_texts] for request in requests
        ]

    def score(self, children: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Return the hypotheses with the inverse score of their last short sentence and all terms."""
        if self.weights.inverse:
            scores = self.inverse_scores(children)
            children = [
                replace(child, sentences=(*child.sentences[:-1], replace(child.sentences[-1], inverse=score)))
                for child, score in zip(children, scores, strict=True)
            ]
        if not self.weights.nearness:
            return [replace(child, terms=self.terms(child)) for child in children]
        return [
            replace(child, terms={**self.terms(child), "nearness": self.weights.nearness * near})
            for child, near in zip(children, self.nearness_of(children), strict=True)
        ]

    def nearness_of(self, children: Sequence[Hypothesis]) -> list[float]:
        """Return how near each child's text is in meaning to what its request is about, the mean over its words."""
        of_request: dict[int, list[int]] = defaultdict(list)
        for place, child in enumerate(children):
            of_request[child.request].append(place)
        near = [0.0] * len(children)
        for request, places in of_request.items():
            texts = [children[place].text for place in places]
            for place, value in zip(places, nearness(texts, self.requests[request].subjects), strict=True):
                near[place] = value
        return near

    def inverse_scores(self, children: Sequence[Hypothesis]) -> list[float]:
        """Return log p(c_p' | s') of each child's last short sentence, in nats: the mean over the request's texts."""
        pairs = [
            (prompt, text)
            for child in children
            for prompt in [self.inverse_prompt(child)]
            for text in self.inverse_texts[child.request]
        ]
        scores = iter(self.writer.log_p(pairs))
        numbers = [len(self.inverse_texts[child.request]) for child in children]
        return [sum(islice(scores, number)) / number for number in numbers]

    def inverse_prompt(self, child: Hypothesis) -> Tokens:
        request = self.requests[child.request]
        return tuple(self.model.encode(request.inverse_prompt(child), start=request.template.start))

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
