"""A language model that an engine serves, for the same search: a round is one request for sentences and one for scores.

Prompts go as token ids of the model's own tokenizer, so that a text is cut at the same place whether it is written or
scored. Before anything is sent it is counted, and what was answered before is not asked again (`Account`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from generation.decoding.language_model import Beginning, Continuation, Stop, Tokens
from generation.decoding.requests import MARKS
from generation.decoding.sampling import Draws
from generation.decoding.short_sentences import ends_sentence
from generation.decoding.tokenized_model import TokenizedModel
from generation.engines.accounts import Account, OwnAccount
from generation.engines.dialects import DIALECTS, Dialect, Sampled, Wanted
from generation.engines.servers import Server
from generation.methods import Sampling
from generation.orders import OrderRefused
from generation.refusals import Refused

HAN = "[\u3400-\u4dbf\u4e00-\u9fff]"
# A mark after a number or an abbreviation ends no short sentence: how often it is then gone on with.
MOST_GOINGS_ON = 3
# What two scores of the same tokens may differ by, in nats a token: half precision adds up in another order each time.
TOLERANCE = 0.05
# Words that any model can go on from in many ways: the temperature of a sample shows.
PROBE = "The old town by the sea was", " quiet in the morning, and the boats"
# Where nothing is known of what the model's makers recommend: the nucleus of Holtzman et al. (ICLR 2020).
RECOMMENDED = Sampling(temperature=1.0, top_p=0.95)


@dataclass
class ServedModel(TokenizedModel):
    """A served model; make one with `reach_model`."""

    server: Server
    tokenizer: Any
    account: Account

    def __post_init__(self) -> None:
        self.name = self.server.name
        self.digest = self.server.revision
        self.positions = self.server.positions
        self.dialect: Dialect = DIALECTS[self.server.engine](self.decode_all, self.decode, self.encode)
        self.ends = frozenset({self.tokenizer.eos_token_id} - {None})

    def writer(self) -> ServedModel:
        return self

    @property
    def recommended(self) -> Sampling:
        return RECOMMENDED

    @property
    def facts(self) -> dict[str, Any]:
        request = {"path": self.dialect.path, **self.dialect.fixed}
        return {"served": self.server.facts, "request": request}

    def decode_all(self, tokens: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(tokens, clean_up_tokenization_spaces=False)
        return text

    @cached_property
    def barred(self) -> tuple[int, ...]:
        """The marks of the model's own, but for those that end a text."""
        return tuple(sorted(set(self.tokenizer.convert_tokens_to_ids(list(self.marks))) - self.ends))

    def continue_sentences(
        self, beginnings: Sequence[Beginning], samples: int, sampling: Sampling, draws: Draws
    ) -> list[list[Continuation]]:
        found: list[list[Continuation]] = [[] for _ in beginnings]
        alike: dict[tuple[int, Stop], list[int]] = {}
        for place, one in enumerate(beginnings):
            alike.setdefault((one.request, one.stop), []).append(place)
        for (request, stop), places in alike.items():
            wanted = self.wanted(stop, samples, sampling, draws.number(request))
            prompts = [(*beginnings[place].given, *beginnings[place].written) for place in places]
            for place, sampled in zip(places, self.sample(prompts, wanted), strict=True):
                beginning = beginnings[place]
                sentences = sampled if stop.characters else self.gone_on(beginning, sampled, wanted)
                found[place] = [
                    sentence
                    for one in sentences
                    if (sentence := self.continuation(beginning, one)) is not None
                ]
        if not any(found):
            raise OrderRefused(f"form: nothing that {self.name}'s engine wrote keeps to the form")
        return found

    def wanted(self, stop: Stop, samples: int, sampling: Sampling, seed: int) -> Wanted:
        may_end = stop.may_end and not stop.is_first
        barred = self.barred if may_end or stop.characters else (*self.barred, *self.ends)
        if not stop.characters:
            return Wanted(
                samples, stop.most_tokens, sampling, seed, (*MARKS, "\n"), barred=tuple(sorted(barred))
            )
        regex = stop.head + HAN + f"{{{stop.characters - len(stop.head)}}}"
        # A character may be several tokens.
        return Wanted(samples, 4 * stop.characters, sampling, seed, regex=regex, barred=barred)

    def gone_on(self, beginning: Beginning, sampled: Sequence[Sampled], wanted: Wanted) -> list[Sampled]:
        """Return samples that are whole short sentences, or as long as they may be."""
        whole = list(sampled)
        for number in range(1, MOST_GOINGS_ON + 1):
            open_ones = [
                place
                for place, one in enumerate(whole)
                if not one.ended
                and 0 < len(one.tokens) < wanted.most_tokens
                and not ends_sentence(self.decode(one.tokens))
            ]
            if not open_ones:
                break
            prompts = [(*beginning.given, *beginning.written, *whole[place].tokens) for place in open_ones]
            most = max(1, wanted.most_tokens - max(len(whole[place].tokens) for place in open_ones))
            further = Wanted(
                1, most, wanted.sampling, wanted.seed + number, wanted.stops, barred=wanted.barred
            )
            for place, (more,) in zip(open_ones, self.sample(prompts, further), strict=True):
                before = whole[place]
                whole[place] = Sampled(
                    (*before.tokens, *more.tokens), (*before.log_probs, *more.log_probs), more.ended
                )
        return whole

    def continuation(self, beginning: Beginning, sampled: Sampled) -> Continuation | None:
        """Return what was sampled as a short sentence; None where a line is not of the length that it must have."""
        stop, tokens = beginning.stop, sampled.tokens
        said = tuple(token for token in tokens if token not in self.ends)
        text = self.decode((*beginning.written, *said))[len(self.decode(beginning.written)) :]
        if not stop.characters:
            ended = sampled.ended or said != tokens
            return Continuation(tokens, text, sum(sampled.log_probs), len(tokens), ended) if tokens else None
        if not re.fullmatch(f"{HAN}{{{stop.characters}}}", text):
            return None
        dictated = self.encode(stop.mark) if stop.mark else []
        log_prob = sum(sampled.log_probs[: len(said)])
        return Continuation((*said, *dictated), text + stop.mark, log_prob, len(said), ended=False)

    def sample(self, prompts: Sequence[Tokens], wanted: Wanted) -> list[list[Sampled]]:
        keys = [self.key("sample", prompt, asdict(wanted)) for prompt in prompts]
        known = self.account.known(keys)
        asked = [place for place, key in enumerate(keys) if key not in known]
        answers = dict(known)
        if asked:
            self.account.spend(
                sum(len(prompts[place]) + wanted.samples * wanted.most_tokens for place in asked)
            )
            found = self.dialect.sample(self.server, [prompts[place] for place in asked], wanted)
            new = {keys[place]: [asdict(one) for one in own] for place, own in zip(asked, found, strict=True)}
            self.account.remember(new)
            answers |= new
        return [
            [Sampled(tuple(one["tokens"]), tuple(one["log_probs"]), one["ended"]) for one in answers[key]]
            for key in keys
        ]

    def log_p(self, pairs: Sequence[tuple[Tokens, Tokens]]) -> list[float]:
        keys = [self.key("log_p", prefix, text) for prefix, text in pairs]
        known = self.account.known(keys)
        # A sentence that was sampled twice is asked about once.
        asked = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in known}
        scores = dict(known)
        if asked:
            self.account.spend(sum(len(prefix) + len(text) for prefix, text in asked.values()))
            new = dict(zip(asked, self.dialect.log_probs(self.server, list(asked.values())), strict=True))
            self.account.remember(new)
            scores |= new
        return [scores[key] for key in keys]

    def key(self, *asked: Any) -> str:
        """Return what tells a question to this model from all others."""
        words = json.dumps([self.server.facts, *asked], sort_keys=True)
        return hashlib.sha256(words.encode()).hexdigest()

    def probe(self) -> None:
        """Raise `OrderRefused` where the engine's scores are not of use: they must come out the same twice, and a
        sample's must be those that it was drawn by."""
        prefix, text = tuple(self.encode(PROBE[0], start=True)), tuple(self.encode(PROBE[1]))
        wanted = Wanted(1, 12, Sampling(temperature=0.7, top_p=0.9), 1, barred=(*self.barred, *self.ends))
        self.account.spend(3 * (len(prefix) + len(text)) + wanted.most_tokens)
        (first,) = self.dialect.log_probs(self.server, [(prefix, text)])
        (again,) = self.dialect.log_probs(self.server, [(prefix, text)])
        if not abs(first - again) <= TOLERANCE * len(text):
            raise OrderRefused(
                f"model: {self.name} scores the same pair differently each time: {first:.3f} and {again:.3f}"
            )
        (((sampled),),) = self.dialect.sample(self.server, [prefix], wanted)
        drawn = sum(sampled.log_probs)
        (scored,) = self.dialect.log_probs(self.server, [(prefix, sampled.tokens)])
        if not abs(drawn - scored) <= TOLERANCE * len(sampled.tokens):
            raise OrderRefused(
                f"model: {self.name} scores a text with {scored:.3f} that it wrote with {drawn:.3f}: its log"
                " probabilities of a prompt and of a sample must be the model's own, before temperature and nucleus"
            )


def reach_model(server: Server, account: Account | None = None) -> ServedModel:
    """Return a served model whose engine was probed; raise `OrderRefused`, `Refused` or `EngineFailed`."""
    # Who writes by a model in this process need not load what takes longer than a poem.
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(server.tokenizer, trust_remote_code=False)
    except Exception as error:
        # Readers of tokenizers and their configuration have errors of their own, each.
        first_line = str(error).strip().split("\n")[0]
        raise Refused(f"{server.tokenizer} cannot be loaded as a tokenizer: {first_line}") from error
    model = ServedModel(server, tokenizer, account or OwnAccount(server.tokens_a_run))
    model.probe()
    return model
