"""How fast the search is: against a loop of one token at a time, the fewest tokens there can be, and a bare forward.

    python -m benchmarks.generation.search_speed [--model FOLDER] [--preset poem] [--form lushi5]
      [--device cpu] [--rounds 3]

All figures are of the same titles in the same run:

- loop: Algorithm 1 the way it is first written down: one hypothesis after the other, one token a call, each with a copy
  of its beam's cache; an inverse prompt is read in one call, the inverse text after it token by token.
- bound: the distinct sequences of tokens after which the search asked for a probability, each counted once: what any
  search with these hypotheses must read.
- bare forward: the calls of the search again, of the same shapes, with nothing else around them.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from dataclasses import replace
from typing import Any

import torch
from transformers import DynamicCache

from generation.decoding.caching_writer import CachingWriter
from generation.decoding.local_model import TransformersModel, load_model
from generation.decoding.reading import Reading
from generation.decoding.requests import Hypothesis, Request
from generation.decoding.scorers import Scorer
from generation.decoding.sentence_search import best_of_each, search
from generation.decoding.templates import VERSE
from generation.engines.model_library import VERSE as VERSE_MODEL
from generation.engines.model_library import folder_of
from generation.methods import EQUATION_4, PRESETS, SearchConfig
from generation.orders import SentenceScore
from generation.verse.forms import find_form

TITLES = ["秋夜", "登高望远", "江上送客", "山居", "咖啡馆", "地铁", "雪中访友", "月下"]


def request_for(title: str, form_key: str, seed: int = 1) -> Request:
    form = find_form(form_key)
    fields = {"title": title, "form": form.name, "tune": "", "author": ""}
    return Request(VERSE, fields, form, pairs=True, seed=seed)


class Recorder:
    """Stands before a model and notes the shapes of its calls."""

    def __init__(self, model: TransformersModel) -> None:
        self.model = model
        self.calls: list[tuple[int, int, int, int]] = []
        self.extend = model.extend

    def __enter__(self) -> Recorder:
        def noted(reading: Reading | None, tokens: Any, owner: Any, keep: int) -> Any:
            before = reading.owner.shape[1] if reading is not None else 0
            self.calls.append((*tokens.shape, before, keep))
            return self.extend(reading, tokens, owner, keep)

        self.model.extend = noted  # type: ignore[method-assign]
        return self

    def __exit__(self, *error: object) -> None:
        self.model.extend = self.extend  # type: ignore[method-assign]


def fewest_tokens(model: TransformersModel, request: Request, config: SearchConfig) -> int:
    """Return how many distinct sequences the search asks a probability after."""
    after: set[tuple[int, ...]] = set()

    class Noted(CachingWriter):
        def continue_sentences(self, beginnings: Any, *others: Any) -> Any:
            found = super().continue_sentences(beginnings, *others)
            for one, sentences in zip(beginnings, found, strict=True):
                for sentence in sentences:
                    # The last character and the mark are read only if it survives: then its children note them.
                    written = [*one.given, *one.written, *sentence.tokens[:-2]]
                    after.update(tuple(written[: end + 1]) for end in range(len(written)))
            return found

        def log_p(self, pairs: Any) -> list[float]:
            for prefix, text in pairs:
                asked = [*prefix, *text[:-1]]
                after.update(tuple(asked[: end + 1]) for end in range(len(asked)))
            return super().log_p(pairs)

    model.writer = lambda: Noted(model)  # type: ignore[method-assign]
    try:
        search(model, [request], EQUATION_4, config)
    finally:
        del model.writer  # type: ignore[method-assign]
    return len(after)


@torch.inference_mode()
def bare_forward(model: TransformersModel, calls: list[tuple[int, int, int, int]]) -> float:
    """Return the seconds that the model takes for calls of these shapes, and nothing else."""
    config = model.model.config
    width = config.hidden_size // config.num_attention_heads
    prepared = []
    for rows, new, before, keep in calls:
        shape = (rows, config.num_key_value_heads, before, width)
        layers = [(torch.randn(shape), torch.randn(shape)) for _ in range(config.num_hidden_layers)]
        tokens = torch.randint(model.vocabulary, (rows, new))
        prepared.append((tokens, DynamicCache(layers if before else None), keep))
    started = time.perf_counter()
    for tokens, cache, keep in prepared:
        model.model(input_ids=tokens, past_key_values=cache, use_cache=True, logits_to_keep=keep)
    return time.perf_counter() - started


class Loop:
    """Algorithm 1, one hypothesis and one token at a time."""

    def __init__(self, model: TransformersModel, request: Request, config: SearchConfig) -> None:
        self.model, self.request, self.config = model, request, config
        self.calls = self.tokens = 0
        self.generator = torch.Generator().manual_seed(request.seed)

    def read(self, tokens: list[int], cache: DynamicCache | None) -> tuple[DynamicCache, torch.Tensor]:
        self.calls += 1
        self.tokens += len(tokens)
        output = self.model.model(input_ids=torch.tensor([tokens]), past_key_values=cache, use_cache=True)
        return output.past_key_values, output.logits[0, -1].log_softmax(-1)

    @torch.inference_mode()
    def run(self) -> list[Hypothesis]:
        form = self.request.form
        assert form is not None
        scorer = Scorer(self.model, [self.request], replace(EQUATION_4, inverse=0))
        cache, log_probs = self.read(self.model.encode(self.request.prompt), None)
        beams = [(Hypothesis(0), cache, log_probs)]
        for number, (length, mark) in enumerate(zip(form.lengths, form.marks, strict=True)):
            samples = self.config.samples if number else self.config.beams * self.config.samples
            children = []
            for beam, cache, log_probs in beams:
                for _ in range(samples):
                    child = self.sample(beam, copy.deepcopy(cache), log_probs, length, mark)
                    inverse = self.inverse_score(child[0])
                    last = replace(child[0].sentences[-1], inverse=inverse)
                    hypothesis = replace(child[0], sentences=(*child[0].sentences[:-1], last))
                    mean = sum(one.inverse or 0 for one in hypothesis.sentences) / (number + 1)
                    terms = {**scorer.terms(hypothesis), "inverse": mean}
                    children.append((replace(hypothesis, terms=terms), *child[1:]))
            own = [child for child, _, _ in children]
            places, _ = best_of_each(own, range(len(own)), [[]], self.config)
            beams = [children[place] for place in places]
        return [beam for beam, _, _ in beams]

    def sample(
        self, beam: Hypothesis, cache: DynamicCache, log_probs: torch.Tensor, length: int, mark: str
    ) -> tuple[Hypothesis, DynamicCache, torch.Tensor]:
        tokens: list[int] = []
        forward = 0.0
        for _ in range(length):
            masked = log_probs.masked_fill(~self.model.characters, -torch.inf)
            token = int(torch.multinomial(masked.exp(), 1, generator=self.generator))
            forward += float(log_probs[token])
            tokens.append(token)
            cache, log_probs = self.read([token], cache)
        dictated = self.model.encode(mark)
        cache, log_probs = self.read(dictated, cache)
        sentence = SentenceScore(self.model.decode(tokens) + mark, forward)
        return (
            replace(
                beam,
                tokens=(*beam.tokens, *tokens, *dictated),
                length=beam.length + length,
                sentences=(*beam.sentences, sentence),
            ),
            cache,
            log_probs,
        )

    def inverse_score(self, child: Hypothesis) -> float:
        cache, log_probs = self.read(self.model.encode(self.request.inverse_prompt(child)), None)
        score = 0.0
        for token in self.model.encode(self.request.inverse_text):
            score += float(log_probs[token])
            cache, log_probs = self.read([token], cache)
        return score


def timed(call: Any, rounds: int) -> float:
    """Return the median of the seconds that a call takes, after one that does not count."""
    call()
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=folder_of(VERSE_MODEL))
    parser.add_argument("--preset", default="poem", choices=PRESETS)
    parser.add_argument("--form", default="lushi5")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", type=int, nargs="*", default=[2, 4, 8])
    options = parser.parse_args()
    model = load_model(options.model, device=options.device)
    config = PRESETS[options.preset]
    request = request_for(TITLES[0], options.form)
    print(
        f"{model.name} on {options.device}, {torch.get_num_threads()} threads, {options.form}, {options.preset}"
    )

    with Recorder(model) as recorder:
        search(model, [request], EQUATION_4, config)
    tokens = sum(rows * new for rows, new, _, _ in recorder.calls)
    seconds = timed(lambda: search(model, [request], EQUATION_4, config), options.rounds)
    print(f"search          {seconds:7.2f} s a poem, {len(recorder.calls):6,} calls, {tokens:7,} tokens")

    fewest = fewest_tokens(model, request, config)
    print(
        f"bound                                    {fewest:16,} tokens   -> {tokens / fewest:.2f} x the bound"
    )

    if options.device == "cpu":
        bare = timed(lambda: bare_forward(model, recorder.calls), options.rounds)
        print(
            f"bare forward    {bare:7.2f} s                                 -> {seconds / bare:.2f} x its time"
        )
        loop = Loop(model, request, config)
        started = time.perf_counter()
        loop.run()
        looped = time.perf_counter() - started
        print(
            f"loop            {looped:7.2f} s a poem, {loop.calls:6,} calls, {loop.tokens:7,} tokens   "
            f"-> {looped / seconds:.1f} x as long as the search"
        )
    print(f"1 title         {60 / seconds:7.1f} poems a minute")
    for size in options.batches:
        requests = [request_for(TITLES[place % len(TITLES)], options.form, place) for place in range(size)]
        batch = timed(lambda requests=requests: search(model, requests, EQUATION_4, config), 1)
        print(f"{size} titles        {60 * size / batch:7.1f} poems a minute")


if __name__ == "__main__":
    main()
