"""Drawing the next token: which tokens may come, temperature, top-k, nucleus, and seeded draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn; top_k 0 and top_p 1 leave all tokens in. Temperature 0 takes the likeliest token."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.top_k < 0 or not 0 < self.top_p <= 1:
            raise ValueError(
                "temperature and top_k must not be negative, top_p must be above 0 and at most 1"
            )

    def draw(self, log_probs: Tensor, uniform: Tensor) -> Tensor:
        """Return one token a row.

        `log_probs` is (rows, vocabulary), -inf for what may not come; `uniform` (rows,) are draws from [0, 1).
        """
        if self.temperature == 0:
            return log_probs.argmax(1)
        logits = log_probs / self.temperature
        tokens = None
        if self.top_k and self.top_k < logits.shape[1]:
            logits, tokens = logits.topk(self.top_k, dim=1)
        elif self.top_p < 1:
            logits, tokens = logits.sort(dim=1, descending=True)
        mass = logits.softmax(1).cumsum(1)  # (rows, choices)
        if self.top_p < 1:
            # The nucleus ends with the first token at which the mass reaches top_p.
            last = (mass < self.top_p).sum(1, keepdim=True).clamp(max=mass.shape[1] - 1)
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
