"""
REML for two crossed random effects and one fixed mean, with missing cells.

The likelihood is that of lme4 (Bates et al. 2015, J. Statistical Software 67(1)), the degrees of
freedom are Satterthwaite's as in lmerTest (Kuznetsova et al. 2017, J. Statistical Software 82(13)):
df = 2 V^2 / (g' A g), V the variance of the mean, g its gradient over the variance parameters, A twice
the inverse Hessian of the deviance. lmerTest takes g and the Hessian by numerical differences; here
they are exact, from Z'PZ (Searle, Casella and McCulloch 1992, Variance Components, chapter 6), where
P = V^-1 - V^-1 1 1' V^-1 / (1' V^-1 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stats.scores import Bools, Floats

MAX_STEPS = 200
# Shares of the variance of all cells: they keep tables finite that are exactly additive, whose
# likelihood has no maximum, and the ratios within what double precision can take.
SMALLEST_RESIDUAL = 1e-6
LARGEST_EFFECT = 1e3
# Whole numbers often have their maximum at zero exactly; the search ends a rounding error above it.
NEGLIGIBLE = 1e-8
# A variance that lowers the deviance by no more than this is zero: the likelihood is flat on its way there, and the
# degrees of freedom of a component that hardly leaves zero are next to nothing. lme4 stops at zero as well.
FLAT = 1e-6


@dataclass(frozen=True)
class CrossedReml:
    """
    The fit: the mean, its standard error, df, and variances (evaluator, prompt, residual).

    `covariance` (3, 3) is that of the variances; zero in the row of a variance that is zero.
    """

    estimate: float
    se: float
    df: float | None
    variances: tuple[float, float, float]
    covariance: Floats


def fit_crossed_reml(values: Floats, start: tuple[float, float, float] | None = None) -> CrossedReml | None:
    """
    Fit y = mu + u_e + v_p + r to `values` (E, P), NaN where missing; every row and column has a cell.

    `start` are variances to begin from, those of a table that is nearly the same.

    Where each prompt has one evaluator (or each evaluator one prompt) its effect cannot be told from the
    residual and is left out. None where no cell is left to estimate a residual from.
    """
    there = ~np.isnan(values)
    cells = values[there]
    scale = float(cells.std())
    estimable = _estimable_effects(there)
    if estimable is None:
        return None
    if scale <= 1e-13 * float(np.abs(cells).max()):
        return CrossedReml(float(cells.mean()), 0.0, None, (0.0, 0.0, 0.0), np.zeros((3, 3)))
    shift = float(cells.mean())
    table = _CrossedTable.of((values - shift) / scale)
    first = np.array([0.4, 0.2, 0.4]) if start is None else np.array(start) / scale**2
    state = _with_flat_ones_at_zero(table, _maximise(table, first, np.append(estimable, True)), estimable)
    covariance = _covariance_of_variances(state)
    spread = float(state.gradient_of_variance @ covariance @ state.gradient_of_variance)
    variances = np.where(state.variances > NEGLIGIBLE, state.variances, 0.0)
    s_e, s_p, s_r = (float(variance) for variance in scale**2 * variances)
    return CrossedReml(
        estimate=shift + scale * state.estimate,
        se=scale * float(np.sqrt(state.variance_of_mean)),
        df=2 * state.variance_of_mean**2 / spread if spread > 0 else None,
        variances=(s_e, s_p, s_r),
        covariance=scale**4 * covariance,
    )


def _estimable_effects(there: Bools) -> Bools | None:
    """Return which of the two effects can be told from the residual (2,), or None where nothing can."""
    evaluators, prompts = there.shape
    cells = int(there.sum())
    if cells > evaluators + prompts - _connected_pieces(there):
        return np.array([True, True])
    if cells == prompts and evaluators > 1 and prompts > evaluators:
        return np.array([True, False])
    if cells == evaluators and prompts > 1 and evaluators > prompts:
        return np.array([False, True])
    return None


def _connected_pieces(there: Bools) -> int:
    """Count the sets of evaluators who share prompts, directly or through others."""
    pieces = 0
    unseen = np.ones(len(there), dtype=np.bool_)
    while unseen.any():
        rows = np.arange(len(there)) == unseen.argmax()
        while True:
            grown = there[:, there[rows].any(axis=0)].any(axis=1)
            if np.array_equal(grown, rows):
                break
            rows = grown
        unseen &= ~rows
        pieces += 1
    return pieces


@dataclass(frozen=True, eq=False)
class _CrossedTable:
    """What the likelihood needs of the data: the mask and the sums."""

    mask: Floats  # (E, P) 1 where there is a cell
    per_row: Floats  # (E,)
    per_column: Floats  # (P,)
    row_sums: Floats  # (E,)
    column_sums: Floats  # (P,)
    cells: float
    total: float
    squares: float

    @classmethod
    def of(cls, values: Floats) -> _CrossedTable:
        mask = (~np.isnan(values)).astype(np.float64)
        filled = np.nan_to_num(values)
        return cls(
            mask=mask,
            per_row=mask.sum(axis=1),
            per_column=mask.sum(axis=0),
            row_sums=filled.sum(axis=1),
            column_sums=filled.sum(axis=0),
            cells=float(mask.sum()),
            total=float(filled.sum()),
            squares=float(np.einsum("ep,ep->", filled, filled)),
        )


@dataclass(frozen=True, eq=False)
class _State:
    """Deviance, its gradient and Hessians over the variances (evaluator, prompt, residual), at one point."""

    variances: Floats  # (3,)
    estimate: float
    variance_of_mean: float
    gradient_of_variance: Floats  # (3,)
    deviance: float
    gradient: Floats  # (3,)
    expected: Floats  # (3, 3)
    observed: Floats  # (3, 3)


def _evaluate(table: _CrossedTable, variances: Floats) -> _State:
    """
    Evaluate the REML deviance and its derivatives.

    With ratios g_e, g_p of the variances to the residual's, V0 = I + g_e Ze Ze' + g_p Zp Zp'. The
    prompts are eliminated first (their block is diagonal), which leaves B = I + g_e G of size E with
    G = Ze' (I + g_p Zp Zp')^-1 Ze.
    """
    s_e, s_p, s_r = (float(variance) for variance in variances)
    g_e, g_p = s_e / s_r, s_p / s_r
    shrunk = 1.0 / (1.0 + g_p * table.per_column)  # (P,)
    k = g_p * shrunk
    masked = table.mask * shrunk  # (E, P) Ze' W Zp
    g = np.diag(table.per_row) - (table.mask * k) @ table.mask.T  # (E, E)
    b = np.eye(len(g)) + g_e * g
    lower = np.linalg.cholesky(b)

    ones_e = table.per_row - table.mask @ (k * table.per_column)
    sums_e = table.row_sums - table.mask @ (k * table.column_sums)
    # Products with the inverse, because SciPy's triangular solver starts threads for tables of any size.
    root = np.linalg.inv(lower)
    rooted = root @ np.column_stack([g, masked, ones_e, sums_e])
    solved = root.T @ rooted
    evaluators = len(g)
    ee, ep = solved[:, :evaluators], solved[:, evaluators:-2]
    one_e, y_e = solved[:, -2], solved[:, -1]
    one_p = table.per_column * shrunk - g_e * (masked.T @ one_e)
    y_p = table.column_sums * shrunk - g_e * (masked.T @ y_e)

    one_one = table.cells - k @ table.per_column**2 - g_e * (ones_e @ one_e)
    one_y = table.total - k @ (table.per_column * table.column_sums) - g_e * (ones_e @ y_e)
    y_y = table.squares - k @ table.column_sums**2 - g_e * (sums_e @ y_e)
    estimate = one_y / one_one
    rss = max(float(y_y - one_y * estimate), 0.0)
    log_det = 2 * np.log(np.diag(lower)).sum() - np.log(shrunk).sum()
    deviance = (table.cells - 1) * np.log(s_r) + log_det + np.log(one_one) + rss / s_r

    ee = ee - np.outer(one_e, one_e) / one_one
    ep = ep - np.outer(one_e, one_p) / one_one
    u_e, u_p = y_e - estimate * one_e, y_p - estimate * one_p
    # The prompts' block is kept as diag(own) - low' low: there can be many prompts.
    own = table.per_column * shrunk
    low = np.vstack([np.sqrt(g_e) * rooted[:, evaluators:-2], one_p / np.sqrt(one_one)])
    low_squares = np.einsum("ep,ep->p", low, low)
    pp_trace = (own - low_squares).sum()
    pp_product = own @ (own - 2 * low_squares) + ((low @ low.T) ** 2).sum()
    pp_quadratic = own @ u_p**2 - ((low @ u_p) ** 2).sum()

    traces = np.array([np.trace(ee), pp_trace]) / s_r
    squares = np.array([u_e @ u_e, u_p @ u_p]) / s_r**2
    cross = (ep**2).sum()
    products = np.array([[(ee**2).sum(), cross], [cross, pp_product]]) / s_r**2
    mixed = u_e @ ep @ u_p
    quadratics = np.array([[u_e @ ee @ u_e, mixed], [mixed, pp_quadratic]]) / s_r**3
    effects = np.array([s_e, s_p])
    trace_p, expected = _with_residual(table.cells - 1, traces, products, effects, s_r)
    y_ppy, quadratic = _with_residual(rss / s_r, squares, quadratics, effects, s_r)

    variance_of_mean = s_r / one_one
    reach = np.array([one_e @ one_e, one_p @ one_p]) / s_r**2
    reach = np.append(reach, (one_one / s_r - effects @ reach) / s_r)
    return _State(
        variances=variances,
        estimate=float(estimate),
        variance_of_mean=float(variance_of_mean),
        gradient_of_variance=variance_of_mean**2 * reach,
        deviance=float(deviance),
        gradient=np.append(traces - squares, trace_p - y_ppy),
        expected=expected,
        observed=2 * quadratic - expected,
    )


def _with_residual(
    whole: float, first: Floats, second: Floats, effects: Floats, s_r: float
) -> tuple[float, Floats]:
    """
    Extend forms over (V_e, V_p) to the residual, by V = s_e V_e + s_p V_p + s_r I and P V P = P.

    `whole` is the form in PV, `first` those in P V_i, `second` those in P V_i P V_j.
    """
    residual = float(whole - effects @ first) / s_r
    beside = (first - second @ effects) / s_r
    last = (residual - effects @ beside) / s_r
    extended = np.empty((3, 3))
    extended[:2, :2] = second
    extended[:2, 2] = extended[2, :2] = beside
    extended[2, 2] = last
    return residual, extended


def _maximise(table: _CrossedTable, start: Floats, allowed: Bools) -> _State:
    """Minimise the deviance by Newton's method, Fisher scoring where the Hessian is no use; variances >= 0."""
    lowest = np.array([0.0, 0.0, SMALLEST_RESIDUAL])
    state = _evaluate(table, np.clip(np.where(allowed, start, 0.0), lowest, LARGEST_EFFECT))
    for _ in range(MAX_STEPS):
        step = _feasible_step(state, allowed, lowest)
        moved = _line_search(table, state, step, lowest)
        if moved is None:
            return state
        # Newton's error is about the square of its last step.
        done = np.abs(moved.variances - state.variances).max() <= 1e-7
        state = moved
        if done:
            return state
    return state


def _with_flat_ones_at_zero(table: _CrossedTable, state: _State, allowed: Bools) -> _State:
    """Return the best fit without the variances that lower the deviance by next to nothing."""
    for effect in np.argsort(state.variances[:2]):
        if not state.variances[effect] > 0:
            continue
        others = np.append(allowed & (state.variances[:2] > 0), True)
        others[effect] = False
        without = _maximise(table, np.where(others, state.variances, 0.0), others)
        if without.deviance <= state.deviance + FLAT:
            state = without
    return state


def _feasible_step(state: _State, allowed: Bools, lowest: Floats) -> Floats:
    """Return the Newton step over the variances that are above their bound or want to leave it."""
    at_bound = state.variances <= lowest
    free = allowed & (~at_bound | (state.gradient < 0))
    while True:
        step = np.zeros(3)
        if not free.any():
            return step
        step[free] = _newton_step(state, free)
        blocked = free & at_bound & (step < 0)
        if not blocked.any():
            return step
        free = free & ~blocked


def _newton_step(state: _State, free: Bools) -> Floats:
    for hessian in (state.observed, state.expected):
        part = hessian[np.ix_(free, free)]
        values, vectors = np.linalg.eigh(part)
        if values[0] > 1e-12 * values[-1] > 0:
            step: Floats = -vectors @ (vectors.T @ state.gradient[free] / values)
            return step
    return -state.gradient[free]


def _line_search(table: _CrossedTable, state: _State, step: Floats, lowest: Floats) -> _State | None:
    """Halve the step until the deviance falls within the bounds; None where it does not."""
    for halving in range(40):
        variances = np.clip(state.variances + step * 0.5**halving, lowest, LARGEST_EFFECT)
        if np.array_equal(variances, state.variances):
            return None
        moved = _evaluate(table, variances)
        if moved.deviance <= state.deviance + 1e-12 * abs(state.deviance):
            return moved
    return None


def _covariance_of_variances(state: _State) -> Floats:
    """Return twice the inverse Hessian over the variances that are off their bounds, in its positive directions."""
    free = state.variances > [NEGLIGIBLE, NEGLIGIBLE, SMALLEST_RESIDUAL]
    if not free.any():
        return np.zeros((3, 3))
    values, vectors = np.linalg.eigh(state.observed[np.ix_(free, free)])
    kept = values > 1e-8 * max(float(values.max()), 0.0)  # lmerTest does the same
    covariance = np.zeros((3, 3))
    covariance[np.ix_(free, free)] = (vectors[:, kept] * (2 / values[kept])) @ vectors[:, kept].T
    return covariance
