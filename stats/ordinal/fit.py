"""
Fit of the cumulative-logit model: thresholds, fixed effects and deviations of the random ones by maximum likelihood.

Errors are from the Hessian of the approximate likelihood, by central differences of its analytic gradient; deviations
at zero have no part in it, as in R's ordinal (Christensen 2019).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.optimize

from stats.ordinal.likelihood import Laplace, OrdinalDesign, TermEffects, laplace
from stats.scores import Floats

# Of a deviation in log odds: below this an effect is at zero.
AT_ZERO = 1e-3
WIDTH = 1e-4
POLISHING = 4
MOVED = 1e-3


@dataclass(frozen=True, eq=False)
class OrdinalFit:
    """
    Thresholds (K - 1,), fixed effects (F,) with their covariance, and deviations (4,): strand, line, cell, row.

    `log_likelihood` is Laplace's approximation.
    """

    thresholds: Floats
    effects: Floats
    covariance: Floats
    deviations: Floats
    log_likelihood: float

    def contrast(self, contrast: Floats) -> tuple[float, float]:
        """Return estimate and standard error of a combination (F,) of the fixed effects."""
        variance = float(contrast @ self.covariance @ contrast)
        return float(contrast @ self.effects), float(np.sqrt(max(variance, 0.0)))


class _Search:
    """The parameters (tau_1, logs of the steps between thresholds, beta, sigma), and the likelihood over them."""

    def __init__(self, design: OrdinalDesign) -> None:
        self.design = design
        self.n_tau = design.categories - 1
        self.n_beta = design.fixed.shape[1]
        self.modes: TermEffects = [np.zeros(size) for size in design.sizes]

    def start(self) -> Floats:
        shares = np.bincount(self.design.category, self.design.weight, self.n_tau + 1)
        below = np.cumsum(shares)[:-1] / shares.sum()
        tau = 1.3 * np.log(below / (1 - below))
        steps = np.log(np.maximum(np.diff(tau), 1e-3))
        return np.concatenate([tau[:1], steps, np.zeros(self.n_beta), np.where(self.design.kept, 0.7, 0.0)])

    def thresholds(self, parameters: Floats) -> Floats:
        tau: Floats = parameters[0] + np.concatenate([[0.0], np.cumsum(np.exp(parameters[1 : self.n_tau]))])
        return tau

    def at(self, parameters: Floats) -> Laplace | None:
        beta = parameters[self.n_tau : self.n_tau + self.n_beta]
        found = laplace(
            self.design,
            self.thresholds(parameters),
            beta,
            parameters[-4:],
            [one.copy() for one in self.modes],
        )
        if found is not None:
            self.modes = found.modes
        return found

    def chained(self, parameters: Floats, gradient: Floats) -> Floats:
        """Return the gradient over the parameters of the search, from that over the thresholds."""
        of_tau = gradient[: self.n_tau]
        after = np.cumsum(of_tau[::-1])[::-1]
        steps = after[1:] * np.exp(parameters[1 : self.n_tau])
        return np.concatenate([after[:1], steps, gradient[self.n_tau :]])

    def loss(self, parameters: Floats) -> tuple[float, Floats]:
        found = self.at(parameters)
        if found is None:
            return 1e300, np.zeros(len(parameters))
        return found.loss, self.chained(parameters, found.gradient)


def fit_ordinal(design: OrdinalDesign) -> OrdinalFit | None:
    """Fit the model; None where the search does not end at a maximum."""
    search = _Search(design)
    n = search.n_tau + search.n_beta
    bounds = [(-30.0, 30.0)] + [(-12.0, 5.0)] * (search.n_tau - 1) + [(-30.0, 30.0)] * search.n_beta
    bounds += [(0.0, 20.0)] * 4
    ratings = len(design.category)

    def loss_a_rating(parameters: Floats) -> tuple[float, Floats]:
        """Return the loss in units in which the first step, which is the slope itself, is none too far."""
        loss, gradient = search.loss(parameters)
        return loss / ratings, gradient / ratings

    found = scipy.optimize.minimize(
        loss_a_rating,
        search.start(),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 500, "ftol": 1e-11, "gtol": 1e-8},
    )
    at = np.asarray(found.x, dtype=np.float64)
    at[n:][at[n:] < AT_ZERO] = 0.0
    free = np.concatenate([np.ones(n, dtype=np.bool_), at[n:] > 0])
    hessian = _hessian(search, at, free)
    for _ in range(POLISHING):
        loss, gradient = search.loss(at)
        values = np.linalg.eigvalsh(hessian)
        if loss >= 1e300 or values[0] <= 1e-10 * values[-1]:
            return None
        step = np.zeros(len(at))
        step[free] = np.linalg.solve(hessian, gradient[free])
        if np.abs(step).max() > 1.0:
            return None
        at = at - step
        if np.abs(step).max() > MOVED:
            hessian = _hessian(search, at, free)
        if np.abs(step).max() < 1e-9:
            break
    final = search.at(at)
    if final is None:
        return None
    # The last steps are too small to change the curvature.
    covariance: Floats = np.linalg.inv(hessian).astype(np.float64)
    beta = slice(search.n_tau, n)
    return OrdinalFit(
        thresholds=search.thresholds(at),
        effects=at[beta],
        covariance=covariance[beta, beta],
        deviations=at[-4:],
        log_likelihood=-final.loss,
    )


def _hessian(search: _Search, at: Floats, free: Floats) -> Floats:
    """Return the Hessian over the free parameters by central differences of the gradient."""
    places = np.flatnonzero(free)
    hessian = np.empty((len(places), len(places)))
    for i, place in enumerate(places):
        ends = []
        for side in (1, -1):
            moved = at.copy()
            moved[place] += side * WIDTH
            ends.append(search.loss(moved)[1][places])
        hessian[i] = (ends[0] - ends[1]) / (2 * WIDTH)
    symmetric: Floats = (hessian + hessian.T) / 2
    return symmetric
