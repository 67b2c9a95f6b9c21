"""
Strengths of methods by which of two texts is better, with ties and covariates, and errors robust to two clusterings.

log P(a better) : log P(tie) : log P(b better) = eta / 2 : log nu : -eta / 2, eta = s_a - s_b + gamma . x; without ties
it is the model of Bradley and Terry. References: Bradley and Terry (1952), Biometrika 39, 324-345; Davidson (1970),
On extending the Bradley-Terry model to accommodate ties, JASA 65, 317-328; Agresti (2002), Categorical data analysis,
section 10.6; for the errors Cameron, Gelbach and Miller (2011), as in `stats.cluster`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stats.cluster import two_way_meat
from stats.comparisons.pairs import Pairs
from stats.scores import Bools, Floats

NEWTON_STEPS = 100
# Of a covariate, what strengths and the covariates before it leave of it, below which it says nothing of its own.
# No data tell odds of more than one to millions (log odds) from endless ones.
UNBOUNDED = 15.0
COLLINEAR = 1e-8


@dataclass(frozen=True, eq=False)
class Davidson:
    """
    A fit: strengths (M,) with their sum zero, gamma (K,), and nu of ties (0 without any).

    `inverse_information` and `covariance`, the robust one (None with fewer than two clusters on a side), are of
    the parameters: strengths, gamma and, where there are ties, log nu. `left_out` names covariates that say nothing of
    their own; `is_regularised` says that some method lost or won everything, or that all are
    ties, so that half a win each way was added to every pair.
    """

    pairs: Pairs
    strengths: Floats
    gamma: Floats
    nu: float
    inverse_information: Floats
    covariance: Floats | None
    left_out: tuple[str, ...]
    is_regularised: bool

    @property
    def errors(self) -> Floats | None:
        """Return the robust standard errors of the parameters."""
        return None if self.covariance is None else np.sqrt(np.maximum(np.diag(self.covariance), 0.0))


def davidson(pairs: Pairs, *, robust: bool = True) -> Davidson | None:
    """Fit the model; None without comparisons of two methods."""
    if len(pairs.methods) < 2 or not len(pairs):
        return None
    kept, left_out = own_covariates(pairs)
    pairs = pairs.only(kept)
    # Where all are ties nu has no end.
    is_regularised = not _reaches_all(_beats(pairs)) or not pairs.outcome.any()
    fitted = _with_half_wins(pairs) if is_regularised else pairs
    found = _fit(fitted)
    if found is None:
        # Something known of the texts foretells every answer, and its effect has no bound: the methods alone have one.
        bounded = davidson(pairs.only(()), robust=robust)
        return bounded and replace(bounded, left_out=(*left_out, *kept))
    parameters, inverse = found
    size, covariates = len(pairs.methods), len(pairs.names)
    has_ties = bool((fitted.outcome == 0).any())
    covariance = None
    if robust and min(len(np.unique(pairs.evaluator)), len(np.unique(pairs.prompt))) >= 2:
        meat = two_way_meat(scores_of(pairs, parameters, has_ties), pairs.evaluator, pairs.prompt)
        covariance = inverse @ meat @ inverse
    return Davidson(
        pairs=pairs,
        strengths=parameters[:size],
        gamma=parameters[size : size + covariates],
        nu=float(np.exp(parameters[-1])) if has_ties else 0.0,
        inverse_information=inverse,
        covariance=covariance,
        left_out=left_out,
        is_regularised=is_regularised,
    )


def own_covariates(pairs: Pairs) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the covariates that say something of their own, and those that say nothing."""
    size = len(pairs.methods)
    squares = np.zeros((size, size))
    np.add.at(squares, (pairs.a, pairs.b), 1.0)
    products = np.diag((squares + squares.T).sum(axis=1)) - squares - squares.T
    kept: list[str] = []
    left: list[str] = []
    columns: list[Floats] = []
    for place, name in enumerate(pairs.names):
        column = pairs.covariates[:, place]
        total = float(column @ column)
        shared = np.concatenate([_by_method(pairs, column), [float(one @ column) for one in columns]])
        rest = total - float(shared @ np.linalg.pinv(products, hermitian=True) @ shared)
        if not np.isfinite(total) or rest <= COLLINEAR * max(total, COLLINEAR):
            left.append(name)
            continue
        kept.append(name)
        columns.append(column)
        products = np.block([[products, shared[:, np.newaxis]], [shared[np.newaxis], np.array([[total]])]])
    return tuple(kept), tuple(left)


def _by_method(pairs: Pairs, values: Floats) -> Floats:
    """Return the sum of values (N,) over the comparisons of each method, those in which it is b taken away (M,)."""
    size = len(pairs.methods)
    sums = np.bincount(pairs.a, values, size) - np.bincount(pairs.b, values, size)
    return sums.astype(np.float64)


def probabilities(eta: Floats, nu: float) -> tuple[Floats, Floats, Floats]:
    """Return the probabilities (N,) that a is better, that neither is, and that b is."""
    # About the larger of the two, so that nothing overflows.
    high = np.abs(eta) / 2
    a, b, tie = np.exp(eta / 2 - high), np.exp(-eta / 2 - high), nu * np.exp(-high)
    total = a + b + tie
    return a / total, tie / total, b / total


def scores_of(pairs: Pairs, parameters: Floats, has_ties: bool) -> Floats:
    """Return the scores of the comparisons (N, parameters): what each adds to the gradient of the log-likelihood."""
    size, covariates = len(pairs.methods), len(pairs.names)
    nu = float(np.exp(parameters[-1])) if has_ties else 0.0
    win, tie, loss = probabilities(_eta(pairs, parameters), nu)
    slope = pairs.weight * (pairs.outcome - (win - loss)) / 2
    found = np.zeros((len(pairs), size + covariates + has_ties))
    rows = np.arange(len(pairs))
    found[rows, pairs.a] = slope
    found[rows, pairs.b] = -slope
    found[:, size : size + covariates] = slope[:, np.newaxis] * pairs.covariates
    if has_ties:
        found[:, -1] = pairs.weight * ((pairs.outcome == 0) - tie)
    return found


def _eta(pairs: Pairs, parameters: Floats) -> Floats:
    size = len(pairs.methods)
    moved: Floats = parameters[pairs.a] - parameters[pairs.b]
    if pairs.names:
        moved = moved + pairs.covariates @ parameters[size : size + len(pairs.names)]
    return moved


def _fit(pairs: Pairs) -> tuple[Floats, Floats] | None:
    """Return the parameters and the inverse of their information, the strengths with their sum zero, by Newton.

    None where the effect of a covariate has no bound.
    """
    pairs = _alike_together(pairs)
    size, covariates = len(pairs.methods), len(pairs.names)
    has_ties = bool((pairs.outcome == 0).any())
    number, slopes = size + covariates + has_ties, size + covariates
    parameters: Floats = np.zeros(number)
    inverse: Floats = np.zeros((number, number))
    # The strengths have their sum free: adding it once makes the information regular without moving anything else.
    sums = np.zeros((number, number))
    sums[:size, :size] = 1 / size
    both = pairs.a * size + pairs.b
    for _ in range(NEWTON_STEPS):
        nu = float(np.exp(parameters[-1])) if has_ties else 0.0
        win, tie, loss = probabilities(_eta(pairs, parameters), nu)
        slope = pairs.weight * (pairs.outcome - (win - loss)) / 2
        spread = pairs.weight * ((win + loss) - (win - loss) ** 2) / 4
        gradient = np.zeros(number)
        gradient[:size], gradient[size:slopes] = _by_method(pairs, slope), pairs.covariates.T @ slope
        information = np.zeros((number, number))
        games = np.bincount(both, spread, size * size).reshape(size, size)
        games = games + games.T
        information[:size, :size] = np.diag(games.sum(axis=1)) - games
        information[size:slopes, size:slopes] = pairs.covariates.T @ (
            pairs.covariates * spread[:, np.newaxis]
        )
        for place in range(covariates):
            mixed = _by_method(pairs, spread * pairs.covariates[:, place])
            information[:size, size + place] = information[size + place, :size] = mixed
        if has_ties:
            gradient[-1] = pairs.weight @ ((pairs.outcome == 0) - tie)
            of_ties = pairs.weight * -tie * (win - loss) / 2
            mixed = np.concatenate([_by_method(pairs, of_ties), pairs.covariates.T @ of_ties])
            information[:slopes, -1] = information[-1, :slopes] = mixed
            information[-1, -1] = pairs.weight @ (tie * (1 - tie))
        if covariates and np.abs(pairs.covariates @ parameters[size:slopes]).max() > UNBOUNDED:
            return None
        inverse[:] = np.linalg.inv(information + sums) - sums
        step = inverse @ gradient
        # A step of more than one unit of log odds overshoots where a method hardly ever wins.
        parameters = parameters + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-11:
            break
    parameters[:size] -= parameters[:size].mean()
    return parameters, inverse


def _alike_together(pairs: Pairs) -> Pairs:
    """Return comparisons of the same methods with the same outcome as one of their weight, without covariates."""
    if pairs.names:
        return pairs
    size = len(pairs.methods)
    kinds = (pairs.a * size + pairs.b) * 3 + pairs.outcome + 1
    weight = np.bincount(kinds, pairs.weight, 3 * size * size)
    kind = np.flatnonzero(weight)
    a, b = np.divmod(kind // 3, size)
    nobody = np.zeros(len(kind), dtype=np.int64)
    return replace(
        pairs,
        a=a,
        b=b,
        outcome=kind % 3 - 1,
        evaluator=nobody,
        prompt=nobody,
        page=nobody,
        covariates=np.empty((len(kind), 0)),
        weight=weight[kind].astype(np.float64),
    )


def _beats(pairs: Pairs) -> Bools:
    """Return which method took something from which (M, M): a win or a tie."""
    found = np.zeros((len(pairs.methods),) * 2, dtype=np.bool_)
    found[pairs.a[pairs.outcome >= 0], pairs.b[pairs.outcome >= 0]] = True
    found[pairs.b[pairs.outcome <= 0], pairs.a[pairs.outcome <= 0]] = True
    return found


def _reaches_all(beats: Bools) -> bool:
    reached = beats | np.eye(len(beats), dtype=np.bool_)
    for _ in range(len(beats)):
        reached = reached @ reached
    return bool(reached.all())


def _with_half_wins(pairs: Pairs) -> Pairs:
    """Return the comparisons with half a win each way added to every pair of methods."""
    one, other = np.nonzero(~np.eye(len(pairs.methods), dtype=np.bool_))
    more = len(one)
    nobody = np.zeros(more, dtype=np.int64)
    return replace(
        pairs,
        a=np.concatenate([pairs.a, one]),
        b=np.concatenate([pairs.b, other]),
        outcome=np.concatenate([pairs.outcome, np.ones(more, dtype=np.int64)]),
        evaluator=np.concatenate([pairs.evaluator, nobody]),
        prompt=np.concatenate([pairs.prompt, nobody]),
        page=np.concatenate([pairs.page, nobody]),
        covariates=np.concatenate([pairs.covariates, np.zeros((more, len(pairs.names)))]),
        weight=np.concatenate([pairs.weight, np.full(more, 0.5)]),
    )
