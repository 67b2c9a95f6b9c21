"""Drawing the next token: which tokens may come, temperature, top-k, nucleus, and seeded draws."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from generation.methods import Sampling


def draw(sampling: Sampling, log_probs: Tensor, uniform: Tensor) -> Tensor:
    """Return one token a row.

    `log_probs` is (rows, vocabulary), -inf for what may not come; `uniform` (rows,) are draws from [0, 1).
    """
    if sampling.temperature == 0:
        return log_probs.argmax(1)
    logits = log_probs / sampling.temperature
    tokens = None
    if sampling.top_k and sampling.top_k < logits.shape[1]:
        logits, tokens = logits.topk(sampling.top_k, dim=1)
    elif sampling.top_p < 1:
        logits, tokens = logits.sort(dim=1, descending=True)
    mass = logits.softmax(1).cumsum(1)  # (rows, choices)
    if sampling.top_p < 1:
        # The nucleus ends with the first token at which the mass reaches top_p.
        last = (mass < sampling.top_p).sum(1, keepdim=True).clamp(max=mass.shape[1] - 1)
        total = mass.gather(1, last)
    else:
        total = mass[:, -1:]
    # A hair below the total, so that rounding lands on no choice without probability.
    wanted = uniform[:, None].to(mass) * total * (1 - 1e-6)
    place = torch.searchsorted(mass, wanted, right=True)
    return (place if tokens is None else tokens.gather(1, place)).squeeze(1)


class Draws:
    """Uniform numbers for several requests, each from a generator of its own: company changes nothing for a request."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def uniform(self, requests: Sequence[int]) -> Tensor:
        """Return a number from [0, 1) for each entry, drawn from its request's generator in turn, (entries,)."""
        numbers = torch.empty(len(requests))
        owners = torch.tensor(requests)
        for request in sorted(set(requests)):
            mine = owners == request
            numbers[mine] = torch.rand(int(mine.sum()), generator=self.generators[request])
        return numbers

    def number(self, request: int) -> int:
        """Return a number of 31 bits, drawn from the request's generator: the seed of an engine's own draws."""
        return int(torch.randint(2**31, (), generator=self.generators[request]))
