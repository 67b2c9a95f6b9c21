"""What a verse model has not learnt yet: its losses, and those on held-out verse in both directions."""

from __future__ import annotations

import math
from collections import Counter

import torch
from torch import Tensor
from torch.nn import functional
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from generation.training.batches import Batch, batches
from generation.training.examples import Example, forward_example, inverse_example
from generation.training.settings import GAP, GAP_A_CHARACTER
from generation.training.titles import MOST_POEMS_A_TITLE
from generation.training.vocabulary import EOS
from generation.verse.corpus import CI, OLD_STYLE, Poem


def token_losses(model: LlamaForCausalLM, batch: Batch) -> Tensor:
    """Return the loss of every token to be learnt, in nats, as (learnt tokens,) in the order of the rows."""
    batch = batch.to(model.device)
    # Padding is at the end, where a causal model never looks back from: no attention mask is needed.
    hidden = model.model(
        input_ids=batch.tokens[:, :-1], use_cache=False
    ).last_hidden_state  # (rows, length - 1, width)
    learnt = batch.learnt[:, 1:]
    # Logits only where they are learnt: they are a third of the work.
    logits = model.lm_head(hidden[learnt])  # (learnt tokens, vocabulary)
    return functional.cross_entropy(logits.float(), batch.tokens[:, 1:][learnt], reduction="none")


@torch.inference_mode()
def mean_loss(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, examples: list[Example]) -> float:
    """Return the mean loss of the examples' targets, in nats a token."""
    losses = [token_losses(model, batch) for batch in batches(examples, tokenizer, 8192)]
    return float(torch.cat(losses).mean()) if losses else math.nan


def held_out_losses(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, poems: list[Poem], most: int | None = None
) -> dict[str, float]:
    """Return the losses on held-out regulated verse, in nats a token, by the names of `held_out_examples`.

    Beside them are the gaps that inverse prompting feeds on: how much more a title costs after another poem's couplet
    than after its own, a token (with its almost free marks and end) and a character. What the corpus has no example of
    is left out.
    """
    was_training = model.training
    model.eval()  # type: ignore[no-untyped-call]
    measured = {name: examples for name, examples in held_out_examples(poems, most).items() if examples}
    losses = {name: mean_loss(model, tokenizer, examples) for name, examples in measured.items()}
    model.train(was_training)
    if titles := measured.get("inverse true"):
        tokens = [len(tokenizer(title.target, add_special_tokens=False)["input_ids"]) for title in titles]
        characters = [len(title.target.removesuffix(EOS)) - len("《》") for title in titles]
        gap = losses["inverse mismatched"] - losses["inverse true"]
        losses |= {GAP: gap, GAP_A_CHARACTER: gap * sum(tokens) / sum(characters)}
    return losses


def held_out_examples(poems: list[Poem], most: int | None) -> dict[str, list[Example]]:
    """Return what is measured on held-out regulated verse, `most` poems of each collection (1,000 of the Song).

    - `forward tang` / `forward song`: title, author, poem and end after the form, the author in half of the poems
    - `text tang`: the poem alone, after its title and author
    - `inverse true`: the title after a couplet of its own poem (each couplet of the Tang poems)
    - `inverse mismatched`: the same title after the couplet at the same place of another poem of the same form
    """
    held_out = [poem for poem in poems if poem.part == "held_out" and poem.form not in (OLD_STYLE, CI)]
    tang = [poem for poem in held_out if poem.collection == "tang"][:most]
    song = [poem for poem in held_out if poem.collection == "song"][: most or 1000]
    forward = [forward_example(poem, with_author=place % 2 == 0) for place, poem in enumerate(tang)]
    named = Counter(poem.title for poem in held_out)
    couplets = [
        (inverse_example(poem, first, first + 2), inverse_example(other, first, first + 2))
        for poem, other in zip(tang, mismatched(tang), strict=True)
        if named[poem.title] <= MOST_POEMS_A_TITLE
        for first in range(0, len(poem.sentences), 2)
    ]
    return {
        "forward tang": forward,
        "forward song": [
            forward_example(poem, with_author=place % 2 == 0) for place, poem in enumerate(song)
        ],
        "text tang": [text_alone(example) for example in forward],
        "inverse true": [true for true, _ in couplets],
        "inverse mismatched": [Example(other.given, true.target) for true, other in couplets],
    }


def text_alone(example: Example) -> Example:
    """Return a forward example of which only the poem is to be learnt."""
    head, text = example.target.split("：", maxsplit=1)
    return Example(f"{example.given}{head}：", text)


def mismatched(poems: list[Poem]) -> list[Poem]:
    """Return for each poem another one of the same form and another title, half the list further on, round about.

    Neighbours of a collection are of one poet, often of one series: their titles are too alike. Where there is no
    other it is the poem itself.
    """
    others = []
    for place, poem in enumerate(poems):
        begin = place + len(poems) // 2
        after = (poems[number % len(poems)] for number in range(begin, begin + len(poems)))
        others.append(
            next((other for other in after if other.form == poem.form and other.title != poem.title), poem)
        )
    return others
