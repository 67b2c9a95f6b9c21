"""
The likelihood of the cumulative-logit model with crossed normal effects, by Laplace's approximation.

logit P(y <= k) = tau_k - eta, eta = X beta + s_strand b_strand + s_line b_line + s_cell b_cell + s_row b_row, all b
standard normal. As in `stats.ratings.likelihood` a line is a prompt and a strand its text of one method, a row an
evaluator and a cell an evaluator's ratings of one method. Lines are eliminated block by block, so that what is left
has the size of cells and rows. Curvature is analytic: numeric second differences stop the search too early.

References: McCullagh (1980), J. Royal Statistical Society B 42, 109-142; Tierney and Kadane (1986), JASA 81, 82-86;
Skaug and Fournier (2006), Computational Statistics & Data Analysis 51, 699-709 (the gradient).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.special

from stats.scores import Bools, Floats, Ints

STRAND, LINE, CELL, ROW = range(4)
NEWTON_STEPS = 60
# Of a Newton step, a rating: sums of many ratings are no more exact than that.
SOLVED = 1e-20
STRANDS_AT_ONCE = 512
# Meetings of cells and strands beyond this are kept sparse.
MOST_DENSE = 2_000_000
FEWEST_FOR_THREADS = 5_000_000
TermEffects = list[Floats]


@dataclass(frozen=True, eq=False)
class OrdinalDesign:
    """N ratings in categories 0 to K - 1, with their fixed effects (N, F) and the levels of the random ones."""

    category: Ints
    weight: Floats
    fixed: Floats
    levels: tuple[Ints, Ints, Ints, Ints]  # strand, line, cell, row of every rating
    strand_line: Ints
    cell_row: Ints
    categories: int
    kept: Bools  # (4,)

    @classmethod
    def of(
        cls,
        category: Ints,
        fixed: Floats,
        row: Ints,
        line: Ints,
        method: Ints,
        kept: Bools,
        weight: Floats | None = None,
    ) -> OrdinalDesign:
        """Number the levels of N ratings by `row`, `line` and `method` (N,)."""
        methods = int(method.max()) + 1
        _, row = np.unique(row, return_inverse=True)
        _, line = np.unique(line, return_inverse=True)
        cells, cell = np.unique(row * methods + method, return_inverse=True)
        strands, strand = np.unique(line * methods + method, return_inverse=True)
        return cls(
            category=category,
            weight=np.ones(len(category)) if weight is None else weight,
            fixed=fixed,
            levels=(strand, line, cell, row),
            strand_line=strands // methods,
            cell_row=cells // methods,
            categories=int(category.max()) + 1,
            kept=kept,
        )

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Return the number of levels of strand, line, cell and row."""
        cells, strands = len(self.cell_row), len(self.strand_line)
        return strands, int(self.strand_line.max()) + 1, cells, int(self.cell_row.max()) + 1

    def effects_of(self, b: TermEffects, sigma: Floats) -> Floats:
        """Return the sum of the random effects of every rating (N,)."""
        total: Floats = np.zeros(len(self.category))
        for term in np.flatnonzero(self.kept):
            total += sigma[term] * b[term][self.levels[term]]
        return total

    def summed(self, values: Floats, term: int) -> Floats:
        """Return the sums of `values` (N,) by the levels of a term."""
        sums: Floats = np.bincount(self.levels[term], values, self.sizes[term]).astype(np.float64)
        return sums


@dataclass(frozen=True, eq=False)
class Slopes:
    """-log p of every rating and its derivatives over eta, and over the thresholds above and below it (N,) each."""

    loss: Floats
    first: Floats
    second: Floats
    third: Floats
    over_upper: Floats
    over_lower: Floats
    first_over_upper: Floats
    first_over_lower: Floats
    second_over_upper: Floats
    second_over_lower: Floats


def slopes(design: OrdinalDesign, tau: Floats, eta: Floats) -> Slopes:
    """Return the derivatives at thresholds `tau` (K - 1,) and linear predictors `eta` (N,)."""
    ends = np.concatenate([[-np.inf], tau, [np.inf]])
    upper, lower = ends[design.category + 1] - eta, ends[design.category] - eta
    above, below = scipy.special.expit(upper), scipy.special.expit(lower)
    # The same difference from the side on which it is not rounded away.
    far = lower > 0
    p = np.where(far, scipy.special.expit(-lower) - scipy.special.expit(-upper), above - below)
    p = np.maximum(p, 1e-300)
    density_above, density_below = above * (1 - above), below * (1 - below)
    bend_above, bend_below = density_above * (1 - 2 * above), density_below * (1 - 2 * below)
    w = design.weight
    return Slopes(
        loss=-w * np.log(p),
        first=w * (1 - above - below),
        second=w * (density_above + density_below),
        third=-w * (bend_above + bend_below),
        over_upper=-w * density_above / p,
        over_lower=w * density_below / p,
        first_over_upper=-w * density_above,
        first_over_lower=-w * density_below,
        second_over_upper=w * bend_above,
        second_over_lower=w * bend_below,
    )


@dataclass(frozen=True, eq=False)
class Curvature:
    """H = I + Z'WZ, factored: lines eliminated, the rest (cells and rows) as a Cholesky factor."""

    design: OrdinalDesign
    sigma: Floats
    by_pair: Any  # (cells, strands) sums of W, an array or sparse
    a: Floats  # (strands,)
    c: Floats
    d: Floats  # (lines,)
    by_line: Any  # (cells, lines)
    w_strand: Floats
    inverse: Floats
    log_determinant: float

    @classmethod
    def of(cls, design: OrdinalDesign, sigma: Floats, w: Floats) -> Curvature:
        strands, lines, cells, rows = design.sizes
        strand, _, cell, _ = design.levels
        by_pair: Any
        if cells * strands <= MOST_DENSE:
            by_pair = np.bincount(cell * strands + strand, w, cells * strands).reshape(cells, strands)
        else:
            by_pair = scipy.sparse.coo_array((w, (cell, strand)), shape=(cells, strands)).tocsr()
        w_strand = design.summed(w, STRAND)
        a = 1 / (1 + sigma[STRAND] ** 2 * w_strand)
        c = sigma[STRAND] ** 2 * a
        m = np.bincount(design.strand_line, w_strand * a, lines)
        d = sigma[LINE] ** 2 / (1 + sigma[LINE] ** 2 * m)
        weight = w * a[strand]
        line = design.strand_line[strand]
        by_line: Any
        if isinstance(by_pair, np.ndarray):
            by_line = np.bincount(cell * lines + line, weight, cells * lines).reshape(cells, lines)
        else:
            by_line = scipy.sparse.coo_array((weight, (cell, line)), shape=(cells, lines)).tocsr()
        k = np.diag(design.summed(w, CELL))
        if sigma[STRAND]:
            k -= _crossed(by_pair, c)
        k -= _crossed(by_line, d)
        # T'KT + I, T = [s_cell I, s_row A_row]; cells are in the order of their rows.
        inner = np.empty((cells + rows, cells + rows))
        begins = np.searchsorted(design.cell_row, np.arange(rows))
        by_row = np.add.reduceat(k, begins, axis=1)
        inner[:cells, :cells] = sigma[CELL] ** 2 * k
        inner[:cells, cells:] = sigma[CELL] * sigma[ROW] * by_row
        inner[cells:, :cells] = inner[:cells, cells:].T
        inner[cells:, cells:] = sigma[ROW] ** 2 * np.add.reduceat(by_row, begins, axis=0)
        inner[np.diag_indices_from(inner)] += 1.0
        # Products with the inverse, because SciPy's triangular solver starts threads for systems of any size.
        lower = np.linalg.cholesky(inner)
        inverse: Floats = scipy.linalg.lapack.dpotri(lower, lower=1)[0]
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        log_determinant = (
            -float(np.log(a).sum())
            + float(np.log1p(sigma[LINE] ** 2 * m).sum())
            + 2 * float(np.log(np.diag(lower)).sum())
        )
        return cls(design, sigma, by_pair, a, c, d, by_line, w_strand, inverse, log_determinant)

    def solve(self, right: TermEffects) -> TermEffects:
        """Return H^-1 times a vector over the levels of all terms."""
        design, sigma = self.design, self.sigma
        _, lines, cells, _ = design.sizes
        strand, line = self._eliminated(right[STRAND], right[LINE])
        reached = self.by_pair @ (sigma[STRAND] * strand + sigma[LINE] * line[design.strand_line])
        by_row = np.bincount(design.cell_row, reached, len(right[ROW]))
        rest = np.concatenate([right[CELL] - sigma[CELL] * reached, right[ROW] - sigma[ROW] * by_row])
        solved = self.inverse @ rest
        back = self.by_pair.T @ (sigma[CELL] * solved[:cells] + sigma[ROW] * solved[cells:][design.cell_row])
        strand, line = self._eliminated(
            right[STRAND] - sigma[STRAND] * back,
            right[LINE] - sigma[LINE] * np.bincount(design.strand_line, back, lines),
        )
        return [strand, line, solved[:cells], solved[cells:]]

    def _eliminated(self, strand: Floats, line: Floats) -> tuple[Floats, Floats]:
        """Solve the blocks of the lines alone."""
        design, of_strands, of_lines = self.design, self.sigma[STRAND], self.sigma[LINE]
        lines = design.sizes[LINE]
        m = np.bincount(design.strand_line, self.w_strand * self.a, lines)
        taken = np.bincount(design.strand_line, self.w_strand * self.a * strand, lines)
        of_line: Floats = (line - of_strands * of_lines * taken) / (1 + of_lines**2 * m)
        of_strand: Floats = self.a * (
            strand - of_strands * of_lines * self.w_strand * of_line[design.strand_line]
        )
        return of_strand, of_line

    @cached_property
    def projection(self) -> Floats:
        """Return T S^-1 T' (cells, cells), S what is left when the lines are eliminated."""
        cells, row = self.design.sizes[CELL], self.design.cell_row
        of_cell, of_row = self.sigma[CELL], self.sigma[ROW]
        between = of_cell * of_row * self.inverse[:cells, cells:][:, row]
        of_rows = of_row**2 * self.inverse[cells:, cells:][np.ix_(row, row)]
        found: Floats = of_cell**2 * self.inverse[:cells, :cells] + between + between.T + of_rows
        return found

    def leverages(self) -> Floats:
        """Return z_i' H^-1 z_i of every rating (N,)."""
        design = self.design
        strand, _, cell, _ = design.levels
        q = self.projection
        of_pair, of_strand = np.empty(len(strand)), np.empty(len(self.a))
        order = np.argsort(strand, kind="stable")
        ends = np.searchsorted(strand[order], np.arange(len(self.a) + 1))
        d = self.d[design.strand_line]
        for start in range(0, len(self.a), STRANDS_AT_ONCE):
            stop = min(start + STRANDS_AT_ONCE, len(self.a))
            part = slice(start, stop)
            g = _dense(self.by_pair[:, part]) * self.c[part]
            g += _dense(self.by_line[:, design.strand_line[part]]) * (d[part] * self.a[part])
            turned = q @ g
            of_strand[part] = (g * turned).sum(axis=0)
            rated = order[ends[start] : ends[stop]]
            of_pair[rated] = turned[cell[rated], strand[rated] - start]
        own = self.c + d * self.a**2 + of_strand
        found: Floats = np.diag(q)[cell] - 2 * of_pair + own[strand]
        return found


def _crossed(matrix: Any, weight: Floats) -> Floats:
    """Return M diag(weight) M'."""
    if isinstance(matrix, np.ndarray) and matrix.size * len(matrix) <= FEWEST_FOR_THREADS:
        # BLAS starts threads for products of this size, which then wait for each other where cores are busy.
        found: Floats = np.einsum("is,js->ij", matrix * weight, matrix)
        return found
    return _dense((matrix * weight[np.newaxis]) @ matrix.T)


def _dense(matrix: Any) -> Floats:
    found: Floats = matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
    return found


@dataclass(frozen=True, eq=False)
class Laplace:
    """-log likelihood at one set of parameters, its gradient over (tau, beta, sigma), and the modes of the effects."""

    loss: float
    gradient: Floats
    modes: TermEffects


def laplace(
    design: OrdinalDesign, tau: Floats, beta: Floats, sigma: Floats, start: TermEffects
) -> Laplace | None:
    """Evaluate the approximation, the search of the modes starting at `start`; None where they are not found."""
    sigma = np.where(design.kept, sigma, 0.0)
    fixed = design.fixed @ beta
    b = start

    def loss_at(effects: TermEffects) -> tuple[Slopes, float]:
        at = slopes(design, tau, fixed + design.effects_of(effects, sigma))
        return at, float(at.loss.sum()) + 0.5 * sum(float(one @ one) for one in effects)

    at, loss = loss_at(b)
    for _ in range(NEWTON_STEPS):
        curvature = Curvature.of(design, sigma, at.second)
        slope = [sigma[k] * design.summed(at.first, k) + b[k] for k in range(4)]
        step = curvature.solve(slope)
        size = sum(float(s @ g) for s, g in zip(step, slope, strict=True))
        if size < SOLVED * len(design.category):
            break
        for halving in range(30):
            moved = [one - 0.5**halving * s for one, s in zip(b, step, strict=True)]
            after, lower = loss_at(moved)
            if lower <= loss + 1e-11 * abs(loss):
                break
        else:
            return None
        b, at, loss = moved, after, lower
    else:
        return None
    h = curvature.leverages()
    back = curvature.solve([0.5 * sigma[k] * design.summed(h * at.third, k) for k in range(4)])
    # How far the modes move with the parameters, as it bears on the determinant.
    pull = design.effects_of(back, sigma)
    n_tau = len(tau)
    gradient = np.empty(n_tau + len(beta) + 4)
    over_upper = at.over_upper + 0.5 * h * at.second_over_upper - pull * at.first_over_upper
    over_lower = at.over_lower + 0.5 * h * at.second_over_lower - pull * at.first_over_lower
    by_upper = np.bincount(design.category, over_upper, n_tau + 1)
    by_lower = np.bincount(design.category, over_lower, n_tau + 1)
    gradient[:n_tau] = by_upper[:-1] + by_lower[1:]
    over_eta = at.first + 0.5 * h * at.third - pull * at.second
    gradient[n_tau : n_tau + len(beta)] = design.fixed.T @ over_eta
    for k in range(4):
        gradient[n_tau + len(beta) + k] = 0.0
        if not design.kept[k]:
            continue
        of_level = b[k][design.levels[k]]
        determinant = _sigma_slope(curvature, at.second, k)
        moved_slope = float(back[k] @ design.summed(at.first, k))
        gradient[n_tau + len(beta) + k] = float(over_eta @ of_level) + determinant - moved_slope
    return Laplace(loss + 0.5 * curvature.log_determinant, gradient, b)


def _sigma_slope(curvature: Curvature, w: Floats, term: int) -> float:
    """Return half the slope of log|H| over one sigma at fixed W: sum over its levels of (1 - [H^-1]_jj) / sigma."""
    design, sigma = curvature.design, curvature.sigma
    if sigma[term] < 1e-9:
        return 0.0
    size = design.sizes
    cells = size[CELL]
    if term in (CELL, ROW):
        diagonal = np.diag(curvature.inverse)
        own = diagonal[:cells] if term == CELL else diagonal[cells:]
        return float((1 - own).sum()) / float(sigma[term])
    q = curvature.projection
    of_strands, of_lines = float(sigma[STRAND]), float(sigma[LINE])
    m = np.bincount(design.strand_line, curvature.w_strand * curvature.a, size[LINE])
    by_line = curvature.by_line
    if term == LINE:
        # The column of H0^-1 of a line reaches the cells by s_line / (1 + s_line^2 m) times `by_line`.
        reach = of_lines / (1 + of_lines**2 * m)
        own = 1 / (1 + of_lines**2 * m)
        return float((1 - own - reach**2 * _forms(q, by_line)).sum()) / float(of_lines)
    a, w_strand = curvature.a, curvature.w_strand
    of_line = 1 / (1 + of_lines**2 * m)[design.strand_line]
    own = a + (of_strands * of_lines * w_strand * a) ** 2 * of_line
    # And that of a strand by s_strand a of its own cells less s_strand d w a of its line's.
    d = curvature.d[design.strand_line]
    total = 0.0
    for start in range(0, len(a), STRANDS_AT_ONCE):
        part = slice(start, start + STRANDS_AT_ONCE)
        g = _dense(curvature.by_pair[:, part]) * (of_strands * a[part])
        g -= _dense(by_line[:, design.strand_line[part]]) * (of_strands * d * w_strand * a)[part]
        total += float((g * (q @ g)).sum())
    return (float((1 - own).sum()) - total) / float(of_strands)


def _forms(q: Floats, columns: Any) -> Floats:
    """Return x' Q x of every column x."""
    found = np.empty(columns.shape[1])
    for start in range(0, columns.shape[1], STRANDS_AT_ONCE):
        part = _dense(columns[:, start : start + STRANDS_AT_ONCE])
        found[start : start + STRANDS_AT_ONCE] = (part * (q @ part)).sum(axis=0)
    return found
