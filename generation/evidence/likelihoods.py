"""How likely poems are to a language model, and how likely it finds titles after them, whoever wrote the poems."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from generation.decoding.reading import SHARED, ReadingModel, pad_in_front
from generation.decoding.requests import Request
from generation.evidence.diversity import short_sentences
from generation.evidence.translation import Floats


def forward_log_likelihoods(model: ReadingModel, requests: Sequence[Request], poems: Sequence[str]) -> Floats:
    """Return log p(c_g | c_p) of each request's poem in nats a character, (poems,); marks are read, not counted."""
    likelihoods = []
    for request, poem in zip(requests, poems, strict=True):
        prompt = model.encode(request.prompt, start=request.template.start)
        text = "".join(couplets(poem))
        tokens = [model.encode(character) for character in text]
        if any(len(own) != 1 for own in tokens):
            raise ValueError(f"{model.name} does not read {text} character by character")
        read = [*prompt, *(own[0] for own in tokens)]
        _, log_probs = model.extend(None, *pad_in_front([read[:-1]], model.device), keep=len(text))
        counted = [place for place, character in enumerate(text) if character.isalnum()]
        foretold = log_probs[0, counted, [tokens[place][0] for place in counted]]  # (characters,)
        likelihoods.append(float(foretold.mean()))
    return np.array(likelihoods)


def title_log_likelihoods(model: ReadingModel, requests: Sequence[Request], poems: Sequence[str]) -> Floats:
    """Return log p(c_p' | s') of each request's title after the couplets of each poem, their mean in nats.

    Shape (poems, requests). This is what inverse prompting looks for: it cannot tell whether looking for it helped.
    """
    template, fields = requests[0].template, requests[0].fields
    titles = [model.encode(request.inverse_text) for request in requests]
    likelihoods = np.zeros((len(poems), len(requests)))
    for place, poem in enumerate(poems):
        prompts = [
            model.encode(template.write_inverse_prompt(fields, couplet), start=template.start)
            for couplet in couplets(poem)
        ]
        of_couplets = after_prompts(model, prompts, titles)
        likelihoods[place] = of_couplets.mean(0)
    return likelihoods


def after_prompts(model: ReadingModel, prompts: Sequence[list[int]], texts: Sequence[list[int]]) -> Floats:
    """Return log p(text | prompt) of every text after every prompt, in nats, (prompts, texts)."""
    reading, _ = model.extend(None, *pad_in_front([prompt[:-1] for prompt in prompts], model.device), keep=1)
    pairs = [(row, text) for row in range(len(prompts)) for text in texts]
    rows = torch.tensor([row for row, _ in pairs], device=model.device)
    # The last token of a prompt is read with the text, because the text's first token is foretold after it.
    new = [[prompts[row][-1], *text[:-1]] for row, text in pairs]
    targets, is_target = pad_in_front([text for _, text in pairs], model.device)  # (pairs, longest)
    _, log_probs = model.extend(
        reading.select(rows, reading.owner[rows] == SHARED),
        *pad_in_front(new, model.device),
        keep=targets.shape[1],
    )
    foretold = log_probs.gather(2, targets[:, :, None]).squeeze(2)  # (pairs, longest)
    likelihoods: Floats = foretold.masked_fill(is_target != SHARED, 0).sum(1).double().cpu().numpy()
    return likelihoods.reshape(len(prompts), len(texts))


def couplets(poem: str) -> list[str]:
    """Return a poem of regulated verse couplet by couplet, in the marks that the verse model knows."""
    sentences = short_sentences(poem)
    return [f"{first}，{second}。" for first, second in zip(sentences[::2], sentences[1::2], strict=True)]
