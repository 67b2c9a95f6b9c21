"""
The REML likelihood of the ratings model, with its gradient, from sums over texts and evaluators' cells.

y = X beta + Z_1 u_1 + ... + Z_4 u_4 + e, X the indicators of the methods, H = I + sum lam_k Z_k Z_k', lam_k the
ratio of a variance to the residual's. Of evaluators and prompts the side with more levels is eliminated: its
blocks are diagonal, because texts are nested in prompts. What is left is a matrix of the size of the other side,
so nothing grows with ratings x ratings. Below, `line` is the eliminated side (a prompt, as a rule) and `strand`
its levels by method (a text), `row` and `cell` the same of the side that is kept (an evaluator, an evaluator's
ratings of one method). The order of the ratios is strand, line, cell, row.

References: Bates, Maechler, Bolker and Walker (2015), J. Statistical Software 67(1), section 3; Searle, Casella
and McCulloch (1992), Variance Components, chapter 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse

from stats.ratings.sums import CELL, LINE, MOST_DENSE, ROW, STRAND, Sums, summed
from stats.scores import Floats, Ints

# Below this ratio a trace over itself is 0 / 0, and is taken the longer way.
SMALL_RATIO = 1e-7
# Of the squares of all ratings: what is left of a table that effects explain exactly is a matter of rounding.
SMALLEST_SHARE = 1e-10
LINES_AT_ONCE = 512
# A product of sparse matrices takes longer than one of arrays where more than this share of them is there.
DENSE = 0.1


@dataclass(frozen=True, eq=False)
class Estimates:
    """
    The methods' means at one set of ratios.

    `effects` (M,) are the methods' means of `y` and `phi` (M, M) their covariance over the residual's variance;
    `slopes` (4, M, M) are the derivatives of `phi`.
    """

    ratios: Floats
    residual: float
    effects: Floats
    phi: Floats
    slopes: Floats
    spread: Floats  # (cells, M) the effects, sums of cells, that each method's indicator has in place of y, times phi
    strand_weight: Floats  # a_t
    line_weight: Floats  # d_p


@dataclass(frozen=True, eq=False)
class Evaluation(Estimates):
    """
    The likelihood at one set of ratios.

    `deviance` is -2 log of the REML likelihood, the residual's variance at its best, up to a constant;
    `gradient` (4,) its slope over the ratios. `traces` (4,) are tr(Z'PZ) and `forms` (4,) -|Z'Py|^2.
    """

    deviance: float
    gradient: Floats
    traces: Floats
    forms: Floats
    blup: Floats  # (cells,) the predicted effects that are sums of cells, methods among them
    projection: Floats  # (cells, cells) T B^-1 T'


def evaluate(sums: Sums, ratios: Floats) -> Evaluation:
    """Evaluate the likelihood of `sums` at `ratios` (4,): strand, line, cell, row."""
    lam = np.where(sums.kept, ratios, 0.0)
    a = 1 / (1 + lam[STRAND] * sums.n_strand)
    m: Floats = np.bincount(sums.strand_line, sums.n_strand * a).astype(np.float64)
    d: Floats = lam[LINE] / (1 + lam[LINE] * m)
    log_h = -np.log(a).sum() + np.log1p(lam[LINE] * m).sum()

    w = _maybe_dense(sums.by_line(a))
    h = np.bincount(sums.strand_line, a * sums.y_strand)
    k = np.diag(sums.n_cell)
    if lam[STRAND]:
        for size, crossing in sums.crossings:
            k[crossing.row, crossing.col] -= lam[STRAND] / (1 + lam[STRAND] * size) * crossing.data
    k -= _between(sums, w, d, lam)
    c = lam[STRAND] * a
    k_y = sums.y_cell - sums.meetings @ (c * sums.y_strand) - w @ (d * h)
    y_y = sums.squares - float(c @ sums.y_strand**2) - float(d @ h**2)

    basis = Basis(sums, lam)
    b = basis.inside(k)
    at = np.arange(sums.size - sums.methods)
    b[at, at] += 1.0
    lower = scipy.linalg.cholesky(b, lower=True, check_finite=False)
    log_b = 2 * float(np.log(np.diag(lower)).sum())
    inverse = _inverse(lower)
    right = basis.down(k_y)
    solution = inverse @ right
    rss = max(y_y - float(right @ solution), SMALLEST_SHARE * sums.squares)
    free = sums.ratings - sums.methods
    residual = rss / free
    methods = slice(sums.size - sums.methods, sums.size)
    phi = inverse[methods, methods]

    blup = basis.up(solution)
    projection = basis.around(inverse)
    traces = _traces(sums, lam, a, d, m, w, k, inverse, projection)
    z_y = reach(sums, a, d, k_y - k @ blup, sums.y_strand - sums.meetings.T @ blup)
    forms = -np.array([float(part @ part) for part in z_y])
    spread = basis.up(inverse[:, methods])  # (cells, M)
    f = reach(sums, a, d, k @ spread, -(sums.meetings.T @ spread))
    return Evaluation(
        ratios=lam,
        deviance=float(log_h) + log_b + free * float(np.log(rss)),
        gradient=np.where(sums.kept, traces + forms / residual, 0.0),
        traces=np.where(sums.kept, traces, 0.0),
        forms=forms,
        residual=residual,
        effects=solution[methods],
        phi=phi,
        slopes=np.stack([part.T @ part for part in f]),
        blup=blup,
        spread=spread,
        projection=projection,
        strand_weight=a,
        line_weight=d,
    )


def _between(sums: Sums, w: Any, d: Floats, lam: Floats) -> Floats:
    """Return W diag(d) W'."""
    if sums.line_crossings is not None:
        total = np.zeros((len(sums.n_cell), len(sums.n_cell)))
        for size, crossing in sums.line_crossings:
            total += lam[LINE] / (1 + lam[LINE] * size) * crossing
        return total
    found: Floats = (w * d) @ w.T if isinstance(w, np.ndarray) else ((w * d[np.newaxis]) @ w.T).toarray()
    return found


def rooted(sums: Sums, at: Estimates, values: Floats) -> Floats:
    """Return H_0^-1 times `values` (N, K), H_0 the eliminated side's part of H."""
    a, d = at.strand_weight, at.line_weight
    by_strand = summed(sums.strand, values)
    by_line = summed(sums.strand_line, a[:, np.newaxis] * by_strand)
    inside = (at.ratios[STRAND] * a)[:, np.newaxis] * by_strand
    inside = inside + a[:, np.newaxis] * (d[:, np.newaxis] * by_line)[sums.strand_line]
    found: Floats = values - inside[sums.strand]
    return found


def projected_residual(sums: Sums, at: Evaluation) -> Floats:
    """Return P y (N,)."""
    return rooted(sums, at, (sums.y - at.blup[sums.cell])[:, np.newaxis])[:, 0]


def average_information(sums: Sums, at: Evaluation, p_y: Floats) -> Floats:
    """
    Return the average information of the variances (strand, line, cell, row, residual), (5, 5), 0 for one not kept.

    Reference: Gilmour, Thompson and Cullis (1995), Biometrics 51, 1440-1450.
    """
    levels = (sums.strand, sums.strand_line[sums.strand], sums.cell, sums.cell_row[sums.cell])
    there = np.append(sums.kept, True)
    kept = [level for level, is_kept in zip(levels, sums.kept, strict=True) if is_kept]
    working = np.stack([*(np.bincount(level, p_y)[level] for level in kept), p_y], axis=1)
    below = rooted(sums, at, working)
    by_cell = summed(sums.cell, below)
    found = np.zeros((5, 5))
    found[np.ix_(there, there)] = (working.T @ below - by_cell.T @ (at.projection @ by_cell)) / at.residual**3
    return found


def weights(sums: Sums, at: Estimates) -> tuple[Floats, Floats]:
    """Return H^-1 X Phi, the weight of each rating in the mean of each method, as that of its cell less its strand."""
    a, d = at.strand_weight[:, np.newaxis], at.line_weight[:, np.newaxis]
    by_strand = sums.meetings.T @ at.spread
    by_line = d * summed(sums.strand_line, a * by_strand)
    return at.spread, a * (at.ratios[STRAND] * by_strand + by_line[sums.strand_line])


@dataclass(frozen=True, eq=False)
class Basis:
    """T = [s_cell I, s_row A_row, A_method], cells x size: every effect as a sum of cells."""

    sums: Sums
    ratios: Floats

    @cached_property
    def blocks(self) -> list[tuple[float, Ints, int]]:
        """Return each block of columns as its scale, the column of every cell, and its width."""
        sums, found = self.sums, []
        if sums.kept[CELL]:
            found.append((float(np.sqrt(self.ratios[CELL])), np.arange(len(sums.n_cell)), len(sums.n_cell)))
        if sums.kept[ROW]:
            found.append((float(np.sqrt(self.ratios[ROW])), sums.cell_row, sums.rows))
        found.append((1.0, sums.cell_method, sums.methods))
        return found

    def down(self, values: Floats) -> Floats:
        """Return T' times `values` (cells,) or (cells, K)."""
        return np.concatenate([scale * summed(place, values, width) for scale, place, width in self.blocks])

    def up(self, values: Floats) -> Floats:
        """Return T times `values` (size,) or (size, K)."""
        total: Floats = np.zeros((len(self.sums.n_cell), *values.shape[1:]))
        start = 0
        for scale, place, width in self.blocks:
            total += scale * values[start : start + width][place]
            start += width
        return total

    def squares(self, of_cells: Floats) -> Floats:
        """Return the diagonal (size,) of T' K T for a diagonal K (cells,)."""
        return np.concatenate(
            [scale**2 * summed(place, of_cells, width) for scale, place, width in self.blocks]
        )

    def inside(self, k: Floats) -> Floats:
        """Return T' K T."""
        return self.down(np.ascontiguousarray(self.down(k).T))

    def around(self, inverse: Floats) -> Floats:
        """Return T B^-1 T'."""
        return self.up(np.ascontiguousarray(self.up(inverse).T))


def _inverse(lower: Floats) -> Floats:
    """Return the inverse of the matrix whose Cholesky factor is `lower`."""
    inverse, failed = scipy.linalg.lapack.dpotri(lower, lower=1)
    if failed:
        raise np.linalg.LinAlgError("the matrix of the ratings model is singular")
    found: Floats = np.tril(inverse) + np.tril(inverse, -1).T
    return found


def _maybe_dense(matrix: Any) -> Any:
    """Return a sparse matrix as an array where that is small or it is hardly sparse."""
    size = matrix.shape[0] * matrix.shape[1]
    return matrix.toarray() if size <= MOST_DENSE and matrix.nnz > DENSE * size else matrix


def reach(sums: Sums, a: Floats, d: Floats, of_cells: Floats, of_strands: Floats) -> list[Floats]:
    """
    Return Z_k' P v for the four terms, from what P takes of the cells and of the strands before their weights.

    `of_cells` is (cells,) or (cells, K), `of_strands` likewise.
    """
    wide = of_strands if of_strands.ndim == 2 else of_strands[:, np.newaxis]
    weighted = a[:, np.newaxis] * wide
    by_line = summed(sums.strand_line, weighted)
    strand = weighted - (a * sums.n_strand)[:, np.newaxis] * (d[:, np.newaxis] * by_line)[sums.strand_line]
    found = [strand, summed(sums.strand_line, strand), of_cells, summed(sums.cell_row, of_cells)]
    return [part.reshape(len(part), -1) if of_cells.ndim == 2 else part.ravel() for part in found]


def _traces(
    sums: Sums,
    lam: Floats,
    a: Floats,
    d: Floats,
    m: Floats,
    w: Any,
    k: Floats,
    inverse: Floats,
    projection: Floats,
) -> Floats:
    """Return tr(Z_k' P Z_k) of the four terms."""
    found = np.zeros(4)
    if sums.line_crossings is not None:
        crossed = sum(
            float((projection * crossing).sum()) / (1 + lam[LINE] * size) ** 2
            for size, crossing in sums.line_crossings
        )
        found[LINE] = (m / (1 + lam[LINE] * m)).sum() - crossed
    elif sums.kept[STRAND] or sums.kept[LINE]:
        q_w, q_v = _by_line_forms(projection, w, _maybe_dense(sums.by_line(sums.n_strand * a**2)))
        own = np.bincount(sums.strand_line, (sums.n_strand * a) ** 2)
        crossed = sum(
            float(projection[crossing.row, crossing.col] @ crossing.data) / (1 + lam[STRAND] * size) ** 2
            for size, crossing in sums.crossings
        )
        found[STRAND] = sums.n_strand @ a - d @ own - crossed + 2 * float(d @ q_v) - float(d**2 @ (own * q_w))
        found[LINE] = (m / (1 + lam[LINE] * m)).sum() - (q_w / (1 + lam[LINE] * m) ** 2).sum()
    cells = len(sums.n_cell) * bool(sums.kept[CELL])
    diagonal = np.diag(inverse)
    small = [term for term in (CELL, ROW) if sums.kept[term] and lam[term] < SMALL_RATIO]
    rest = k - k @ projection @ k if small else k
    if sums.kept[CELL]:
        found[CELL] = np.trace(rest) if CELL in small else (cells - diagonal[:cells].sum()) / lam[CELL]
    if sums.kept[ROW]:
        found[ROW] = (
            np.trace(summed(sums.cell_row, np.ascontiguousarray(summed(sums.cell_row, rest).T)))
            if ROW in small
            else (sums.rows - diagonal[cells : cells + sums.rows].sum()) / lam[ROW]
        )
    return found


def _by_line_forms(projection: Floats, w: Any, v: Any) -> tuple[Floats, Floats]:
    """Return w_p' Q w_p and w_p' Q v_p of every line p (lines,), for columns of one pattern."""
    lines = w.shape[1]
    q_w, q_v = np.zeros(lines), np.zeros(lines)
    if isinstance(w, np.ndarray):
        for start in range(0, lines, LINES_AT_ONCE):
            part = slice(start, start + LINES_AT_ONCE)
            turned = projection @ w[:, part]
            q_w[part], q_v[part] = (turned * w[:, part]).sum(axis=0), (turned * v[:, part]).sum(axis=0)
        return q_w, q_v
    w_rows, v_rows = w.T.tocsr(), v.T.tocsr()
    for start in range(0, lines, LINES_AT_ONCE):
        of_w, of_v = (rows[start : start + LINES_AT_ONCE].tocoo() for rows in (w_rows, v_rows))
        place, cell = of_w.coords
        turned = (of_w.tocsr() @ projection)[place, cell]
        part = slice(start, start + of_w.shape[0])
        q_w[part] = np.bincount(place, turned * of_w.data, of_w.shape[0])
        q_v[part] = np.bincount(place, turned * of_v.data, of_w.shape[0])
    return q_w, q_v
