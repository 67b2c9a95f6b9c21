from __future__ import annotations

import pytest
import torch
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from generation.decoding.sampling import Draws, draw
from generation.methods import Sampling

MANY = 20_000


def shares(sampling: Sampling, log_probs: torch.Tensor) -> torch.Tensor:
    """Return how often each token is drawn for uniform numbers spread evenly over [0, 1)."""
    uniform = (torch.arange(MANY) + 0.5) / MANY
    tokens = draw(sampling, log_probs.expand(MANY, -1), uniform)
    return torch.bincount(tokens, minlength=log_probs.shape[0]) / MANY


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(),
        Sampling(temperature=0.7),
        Sampling(top_k=5),
        Sampling(top_p=0.8),
        Sampling(temperature=1.3, top_k=9, top_p=0.6),
        Sampling(top_p=0.01),
    ],
)
def test_shares_are_those_of_transformers(sampling: Sampling) -> None:
    log_probs = torch.randn(30, generator=torch.Generator().manual_seed(1)).mul(2).log_softmax(0)
    scores = TemperatureLogitsWarper(sampling.temperature)(torch.empty(1), log_probs[None])
    if sampling.top_k:
        scores = TopKLogitsWarper(sampling.top_k)(torch.empty(1), scores)
    if sampling.top_p < 1:
        scores = TopPLogitsWarper(sampling.top_p)(torch.empty(1), scores)
    assert shares(sampling, log_probs) == pytest.approx(scores.softmax(1)[0], abs=2 / MANY * 30)


def test_temperature_zero_takes_the_likeliest() -> None:
    log_probs = torch.tensor([[0.2, 0.5, 0.3]]).log()
    assert draw(Sampling(temperature=0), log_probs, torch.tensor([0.99])).tolist() == [1]


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(top_k=10), Sampling(top_p=0.999999)])
def test_what_may_not_come_is_never_drawn(sampling: Sampling) -> None:
    log_probs = torch.full((4, 12), -torch.inf)
    log_probs[:, 3] = -50.0
    uniform = torch.tensor([0.0, 0.5, 0.999999, 1 - 2**-24])
    assert draw(sampling, log_probs, uniform).tolist() == [3, 3, 3, 3]


def test_company_changes_no_draws() -> None:
    together = Draws([7, 8]).uniform([0, 1, 0, 1, 1])
    assert together[[0, 2]].tolist() == Draws([7]).uniform([0, 0]).tolist()
    assert together[[1, 3, 4]].tolist() == Draws([8]).uniform([0, 0, 0]).tolist()


@pytest.mark.parametrize("settings", [{"temperature": -1}, {"top_k": -1}, {"top_p": 0}, {"top_p": 1.1}])
def test_settings_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="top_p"):
        Sampling(**settings)  # type: ignore[arg-type]
