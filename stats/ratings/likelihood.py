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

from stats.scores import Bools, Floats, Ints

STRAND, LINE, CELL, ROW = range(4)
# Below this ratio a trace over itself is 0 / 0, and is taken the longer way.
SMALL_RATIO = 1e-7
# Of the squares of all ratings: what is left of a table that effects explain exactly is a matter of rounding.
SMALLEST_SHARE = 1e-10
LINES_AT_ONCE = 512
MOST_DENSE = 20_000_000


@dataclass(frozen=True, eq=False)
class Sums:
    """What the likelihood needs of the ratings, counted once; `y` has its mean taken off."""

    y: Floats  # (N,)
    cell: Ints  # (N,)
    strand: Ints  # (N,)
    cell_row: Ints  # (cells,)
    cell_method: Ints  # (cells,)
    strand_line: Ints  # (strands,)
    n_cell: Floats
    n_strand: Floats
    y_cell: Floats
    y_strand: Floats
    pair_cell: Ints  # cells and strands that meet
    pair_strand: Ints
    pair_ratings: Floats
    methods: int
    kept: Bools  # (4,) which of the four terms are in the model

    @classmethod
    def of(cls, row: Ints, line: Ints, method: Ints, y: Floats, kept: Bools) -> Sums:
        """Count up ratings `y` (N,) by `row`, `line` and `method` (N,), each numbered from 0 without gaps."""
        methods = int(method.max()) + 1
        cells, cell = np.unique(row * methods + method, return_inverse=True)
        strands, strand = np.unique(line * methods + method, return_inverse=True)
        pairs, together = np.unique(cell * len(strands) + strand, return_counts=True)
        return cls(
            y=y,
            cell=cell,
            strand=strand,
            cell_row=cells // methods,
            cell_method=cells % methods,
            strand_line=strands // methods,
            n_cell=np.bincount(cell).astype(np.float64),
            n_strand=np.bincount(strand).astype(np.float64),
            y_cell=_summed(cell, y),
            y_strand=_summed(strand, y),
            pair_cell=pairs // len(strands),
            pair_strand=pairs % len(strands),
            pair_ratings=together.astype(np.float64),
            methods=methods,
            kept=kept,
        )

    @property
    def ratings(self) -> int:
        return len(self.y)

    @cached_property
    def squares(self) -> float:
        """Return y'y."""
        return float(self.y @ self.y)

    @cached_property
    def rows(self) -> int:
        return int(self.cell_row.max()) + 1

    @cached_property
    def lines(self) -> int:
        return int(self.strand_line.max()) + 1

    @cached_property
    def size(self) -> int:
        """Return the size of the matrix that is left: cells and rows, where their terms are kept, and methods."""
        return len(self.n_cell) * bool(self.kept[CELL]) + self.rows * bool(self.kept[ROW]) + self.methods

    @cached_property
    def meetings(self) -> Any:
        """Return the counts of ratings by cell and strand, sparse."""
        shape = (len(self.n_cell), len(self.n_strand))
        return scipy.sparse.csr_array((self.pair_ratings, (self.pair_cell, self.pair_strand)), shape=shape)

    @cached_property
    def crossings(self) -> list[tuple[float, Any]]:
        """Return N_z N_z' (cells x cells, sparse) for each number z of ratings that a strand has."""
        columns = self.meetings.tocsc()
        found = []
        for size in np.unique(self.n_strand):
            part = columns[:, np.flatnonzero(self.n_strand == size)].tocsr()
            found.append((float(size), (part @ part.T).tocoo()))
        return found

    @cached_property
    def pair_line(self) -> tuple[Ints, Ints, Ints]:
        """Return the cells and lines that meet, and the place among them of every pair of cell and strand."""
        meetings, place = np.unique(
            self.pair_cell * self.lines + self.strand_line[self.pair_strand], return_inverse=True
        )
        return meetings // self.lines, meetings % self.lines, place

    def by_line(self, weights: Floats) -> Any:
        """Return the counts of ratings, each times the weight of its strand, by cell and line."""
        cell, line, place = self.pair_line
        data = np.bincount(place, self.pair_ratings * weights[self.pair_strand])
        return scipy.sparse.csr_array((data, (cell, line)), shape=(len(self.n_cell), self.lines))


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
    for size, crossing in sums.crossings:
        k[crossing.row, crossing.col] -= lam[STRAND] / (1 + lam[STRAND] * size) * crossing.data
    between = (w * d) @ w.T if isinstance(w, np.ndarray) else ((w * d[np.newaxis]) @ w.T).toarray()
    k -= between
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


def rooted(sums: Sums, at: Estimates, values: Floats) -> Floats:
    """Return H_0^-1 times `values` (N, K), H_0 the eliminated side's part of H."""
    a, d = at.strand_weight, at.line_weight
    by_strand = _summed(sums.strand, values)
    by_line = _summed(sums.strand_line, a[:, np.newaxis] * by_strand)
    inside = (at.ratios[STRAND] * a)[:, np.newaxis] * by_strand
    inside = inside + a[:, np.newaxis] * (d[:, np.newaxis] * by_line)[sums.strand_line]
    found: Floats = values - inside[sums.strand]
    return found


def projected_residual(sums: Sums, at: Evaluation) -> Floats:
    """Return P y (N,)."""
    return rooted(sums, at, (sums.y - at.blup[sums.cell])[:, np.newaxis])[:, 0]


def average_information(sums: Sums, at: Evaluation, p_y: Floats) -> Floats:
    """
    Return the average information of the variances (strand, line, cell, row, residual), (5, 5).

    Reference: Gilmour, Thompson and Cullis (1995), Biometrics 51, 1440-1450.
    """
    levels = (sums.strand, sums.strand_line[sums.strand], sums.cell, sums.cell_row[sums.cell])
    working = np.stack([*(np.bincount(level, p_y)[level] for level in levels), p_y], axis=1)
    below = rooted(sums, at, working)
    by_cell = _summed(sums.cell, below)
    found: Floats = (working.T @ below - by_cell.T @ (at.projection @ by_cell)) / at.residual**3
    return found


def weights(sums: Sums, at: Estimates) -> tuple[Floats, Floats]:
    """Return H^-1 X Phi, the weight of each rating in the mean of each method, as that of its cell less its strand."""
    a, d = at.strand_weight[:, np.newaxis], at.line_weight[:, np.newaxis]
    by_strand = sums.meetings.T @ at.spread
    by_line = d * _summed(sums.strand_line, a * by_strand)
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
        return np.concatenate([scale * _summed(place, values, width) for scale, place, width in self.blocks])

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
            [scale**2 * _summed(place, of_cells, width) for scale, place, width in self.blocks]
        )

    def inside(self, k: Floats) -> Floats:
        """Return T' K T."""
        return self.down(np.ascontiguousarray(self.down(k).T))

    def around(self, inverse: Floats) -> Floats:
        """Return T B^-1 T'."""
        return self.up(np.ascontiguousarray(self.up(inverse).T))


def _summed(place: Ints, values: Floats, width: int | None = None) -> Floats:
    """Return the sums of `values` (N,) or (N, K) by place."""
    width = int(place.max()) + 1 if width is None else width
    if values.ndim == 1:
        sums: Floats = np.bincount(place, values, width).astype(np.float64)
        return sums
    indicator = scipy.sparse.csr_array(
        (np.ones(len(place)), (place, np.arange(len(place)))), shape=(width, len(place))
    )
    found: Floats = np.asarray(indicator @ values)
    return found


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
    return matrix.toarray() if size <= MOST_DENSE and matrix.nnz > 0.02 * size else matrix


def reach(sums: Sums, a: Floats, d: Floats, of_cells: Floats, of_strands: Floats) -> list[Floats]:
    """
    Return Z_k' P v for the four terms, from what P takes of the cells and of the strands before their weights.

    `of_cells` is (cells,) or (cells, K), `of_strands` likewise.
    """
    wide = of_strands if of_strands.ndim == 2 else of_strands[:, np.newaxis]
    weighted = a[:, np.newaxis] * wide
    by_line = _summed(sums.strand_line, weighted)
    strand = weighted - (a * sums.n_strand)[:, np.newaxis] * (d[:, np.newaxis] * by_line)[sums.strand_line]
    found = [strand, _summed(sums.strand_line, strand), of_cells, _summed(sums.cell_row, of_cells)]
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
    if sums.kept[STRAND] or sums.kept[LINE]:
        v = _maybe_dense(sums.by_line(sums.n_strand * a**2))
        q_w, q_v = np.zeros(sums.lines), np.zeros(sums.lines)
        for start in range(0, sums.lines, LINES_AT_ONCE):
            part = slice(start, start + LINES_AT_ONCE)
            w_part, v_part = _columns(w, part), _columns(v, part)
            turned = projection @ w_part
            q_w[part], q_v[part] = (turned * w_part).sum(axis=0), (turned * v_part).sum(axis=0)
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
            np.trace(_summed(sums.cell_row, np.ascontiguousarray(_summed(sums.cell_row, rest).T)))
            if ROW in small
            else (sums.rows - diagonal[cells : cells + sums.rows].sum()) / lam[ROW]
        )
    return found


def _columns(matrix: Any, part: slice) -> Floats:
    found = matrix[:, part]
    return np.asarray(found if isinstance(found, np.ndarray) else found.toarray())
