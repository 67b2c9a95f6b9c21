"""Algorithm 1 of Zou et al. (KDD 2021): beam search over short sentences instead of tokens.

For each of the n beams, m next short sentences are sampled from the language model; all texts that come of it are
scored; the best n are the beams of the next round; until the most short sentences are there or all beams have ended.
What they are scored by is an argument: with the forward score alone this is the baseline, with equation 3 or 4 it is
inverse prompting. Several requests are searched side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from generation.decoding.language_model import Beginning, Continuation, LanguageModel, Stop
from generation.decoding.requests import Hypothesis, Request
from generation.decoding.sampling import Draws
from generation.decoding.scorers import Scorer
from generation.methods import SearchConfig, Weights
from generation.orders import SentenceScore

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
    writer = model.writer()
    scorer = Scorer(model, requests, weights)
    prompts = [tuple(model.encode(request.prompt, start=request.template.start)) for request in requests]
    rooms = [model.positions - len(prompt) for prompt in prompts]
    growing = [opened(model, request, place) for place, request in enumerate(requests)]
    ended: list[list[Hypothesis]] = [[] for _ in requests]
    for number in range(1, most_sentences(requests, config) + 1):
        # All beams begin as one, which has the children of all.
        samples = config.samples if number > 1 else config.beams * config.samples
        beginnings = [
            Beginning(
                one.request,
                prompts[one.request],
                one.tokens,
                stop_for(one, requests[one.request], config, rooms[one.request]),
            )
            for one in growing
        ]
        drafts: dict[tuple[int, str, bool], Hypothesis] = {}
        for place, sentences in enumerate(
            writer.continue_sentences(beginnings, samples, config.sampling, draws)
        ):
            beam = growing[place]
            for sentence in sentences:
                child = child_of(beam, sentence, requests[beam.request], rooms[beam.request])
                # Each text of a beam counts once.
                drafts.setdefault((place, sentence.text, child.ended), child)
        children = scorer.score(list(drafts.values()))
        # The first round's children are all of one beam.
        of_beam = [place for place, _, _ in drafts] if number > 1 else range(len(children))
        chosen, ended = best_of_each(children, of_beam, ended, config)
        growing = [children[place] for place in chosen]
        for request, best in best_so_far(growing, ended):
            watch(request, number, best)
        if not growing:
            break
    finals = [
        [*ended[request], *(one for one in growing if one.request == request)]
        for request in range(len(requests))
    ]
    return [sorted(final, key=lambda hypothesis: -hypothesis.score)[: config.beams] for final in finals]


def opened(model: LanguageModel, request: Request, place: int) -> Hypothesis:
    """Return the one hypothesis that a request begins with: nothing, or the short sentences that stand already."""
    sentences = tuple(SentenceScore(text, 0.0) for text in request.opening)
    tokens = tuple(model.encode("".join(request.opening))) if sentences else ()
    return Hypothesis(place, tokens, sentences=sentences, given=len(sentences))


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
        # What the model itself begins with.
        opening = one.sentences[min(one.given, len(one.sentences) - 1)].text
        if config.most_of_an_opening and openings[opening] == config.most_of_an_opening:
            continue
        if place >= 0:
            if config.most_children and children[of_beam[place]] == config.most_children:
                continue
            children[of_beam[place]] += 1
        openings[opening] += 1
        yield one, place


def stop_for(beam: Hypothesis, request: Request, config: SearchConfig, room: int) -> Stop:
    """Return where the next short sentence of a beam ends; `room` is how many tokens of its text the model can hold."""
    number = len(beam.sentences)
    if (form := request.form) is None:
        most = min(config.most_tokens, room - len(beam.tokens))
        return Stop(most, is_first=number == 0, may_end=number >= config.fewest_sentences)
    head = form.heads[number] if number < len(form.heads) else ""
    length = form.lengths[number]
    return Stop(length, characters=length, head=head, mark=form.marks[number])


def child_of(beam: Hypothesis, sentence: Continuation, request: Request, room: int) -> Hypothesis:
    """Return a beam with a further short sentence."""
    tokens = (*beam.tokens, *sentence.tokens)
    if request.form is None:
        ended = sentence.ended or len(tokens) >= room
    else:
        ended = len(beam.sentences) + 1 == len(request.form.lengths)
    return replace(
        beam,
        tokens=tokens,
        length=beam.length + sentence.chosen,
        sentences=with_sentence(beam.sentences, SentenceScore(sentence.text, sentence.log_prob)),
        ended=ended,
    )


def with_sentence(before: tuple[SentenceScore, ...], new: SentenceScore) -> tuple[SentenceScore, ...]:
    """Return short sentences and a new one; blanks, or nothing but the text's end, belong to the one before."""
    if new.text.strip() or not before:
        return (*before, new)
    last = before[-1]
    return (*before[:-1], replace(last, text=last.text + new.text, forward=last.forward + new.forward))
