"""What is most likely true where several observers, each with errors of their own, say of what class units are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stats.scores import Floats, Ints

MOST_STEPS = 2_000
TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False)
class Consensus:
    """
    The fit of N units, K classes and J observers.

    `shares` (K,) are those of the classes, `errors` (J, K, K) the chances that an observer says a class (last axis) of
    a unit that is of another, and `posterior` (N, K) those of the classes of each unit.
    """

    shares: Floats
    errors: Floats
    posterior: Floats
    log_likelihood: float
    steps: int

    @property
    def most_likely(self) -> Ints:
        """The class of each unit (N,)."""
        found: Ints = self.posterior.argmax(axis=1)
        return found


def dawid_skene(unit: Ints, observer: Ints, said: Ints, *, classes: int) -> Consensus:
    """
    Fit the model by expectation and maximisation, from the shares of what was said of each unit.

    :param unit: whose class was said, (A,), from 0 without a gap; one observer may say it several times
    :param observer: by whom, likewise; `said` is the class, from 0 to `classes` - 1

    Raises ValueError where nothing was said. Reference: Dawid and Skene (1979), Maximum likelihood estimation of
    observer error-rates using the EM algorithm.
    """
    if not len(unit):
        raise ValueError("unit must have at least one answer")
    units, observers = int(unit.max()) + 1, int(observer.max()) + 1
    posterior = np.zeros((units, classes))
    np.add.at(posterior, (unit, said), 1.0)
    posterior /= posterior.sum(axis=1, keepdims=True)
    before, steps = -np.inf, 0
    while True:
        shares = posterior.mean(axis=0)
        # (J, K, K): how often each observer said which class of units of which class.
        errors = np.zeros((observers, classes, classes))
        np.add.at(errors.transpose(0, 2, 1), (observer, said), posterior[unit])
        total = errors.sum(axis=2, keepdims=True)
        errors = np.divide(errors, total, out=np.full_like(errors, 1 / classes), where=total > 0)
        with np.errstate(divide="ignore"):
            log_chances = np.zeros((units, classes))
            np.add.at(log_chances, unit, np.log(errors[observer, :, said]))
            log_chances += np.log(shares)
        highest = log_chances.max(axis=1, keepdims=True)
        chances = np.exp(log_chances - highest)
        sums = chances.sum(axis=1, keepdims=True)
        posterior = chances / sums
        log_likelihood = float((highest + np.log(sums)).sum())
        steps += 1
        if log_likelihood - before < TOLERANCE * abs(log_likelihood) or steps == MOST_STEPS:
            return Consensus(shares, errors, posterior, log_likelihood, steps)
        before = log_likelihood
