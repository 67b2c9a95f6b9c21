"""
The ratings model where a fit of all ratings would take minutes: components from a part, estimates from everything.

The variance ratios are those of a fit to some of the evaluators and prompts, always the same ones. At these ratios the
methods' means, their errors and the weights of all ratings are solved for by conjugate gradients, so that memory
grows with the ratings alone. The degrees of freedom are those that the part allows.

Reference: Hestenes and Stiefel (1952), J. Research of the National Bureau of Standards 49, 409-436.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from stats.ratings.likelihood import Basis, Estimates, reach
from stats.ratings.sums import LINE, STRAND, Sums
from stats.scores import Bools, Floats, Ints

MOST_ITERATIONS = 2_000
SOLVED = 1e-10


def estimates_at(sums: Sums, ratios: Floats) -> Estimates | None:
    """Return the estimates of `sums` at `ratios` (4,): strand, line, cell, row; None where they are not solved."""
    lam = np.where(sums.kept, ratios, 0.0)
    a = 1 / (1 + lam[STRAND] * sums.n_strand)
    m = np.bincount(sums.strand_line, sums.n_strand * a)
    d: Floats = lam[LINE] / (1 + lam[LINE] * m)
    c = lam[STRAND] * a
    w = sums.by_line(a)
    h = np.bincount(sums.strand_line, a * sums.y_strand)

    def k_times(v: Floats) -> Floats:
        """Return the cells' H_0^-1 cells times `v` (cells, K)."""
        within = c[:, np.newaxis] * (sums.meetings.T @ v)
        between = d[:, np.newaxis] * (w.T @ v)
        found: Floats = sums.n_cell[:, np.newaxis] * v - sums.meetings @ within - w @ between
        return found

    k_y = sums.y_cell - sums.meetings @ (c * sums.y_strand) - w @ (d * h)
    y_y = sums.squares - float(c @ sums.y_strand**2) - float(d @ h**2)
    basis = Basis(sums, lam)
    effects = sums.size - sums.methods
    methods = np.eye(sums.methods)[sums.cell_method]  # (cells, M)
    of_methods = k_times(methods)
    right = np.column_stack([basis.down(of_methods)[:effects], basis.down(k_y)[:effects]])

    def system(v: Floats) -> Floats:
        padded = np.concatenate([v, np.zeros((sums.methods, v.shape[1]))])
        return v + basis.down(k_times(basis.up(padded)))[:effects]

    solved = conjugate_gradients(system, right, 1 + basis.squares(sums.n_cell)[:effects])
    if solved is None:
        return None
    # X'H^-1X and X'H^-1y, the random effects taken out.
    information = methods.T @ of_methods - right[:, :-1].T @ solved[:, :-1]
    moment = methods.T @ k_y - right[:, :-1].T @ solved[:, -1]
    phi: Floats = np.linalg.inv((information + information.T) / 2).astype(np.float64)
    means = phi @ moment
    rss = y_y - float(right[:, -1] @ solved[:, -1]) - float(moment @ means)
    taken = np.concatenate([solved[:, :-1], np.zeros((sums.methods, sums.methods))])
    spread = (methods - basis.up(taken)) @ phi  # (cells, M)
    f = reach(sums, a, d, k_times(spread), -(sums.meetings.T @ spread))
    return Estimates(
        ratios=lam,
        residual=max(rss, 0.0) / (sums.ratings - sums.methods),
        effects=means,
        phi=phi,
        slopes=np.stack([part.T @ part for part in f]),
        spread=spread,
        strand_weight=a,
        line_weight=d,
    )


def conjugate_gradients(system: Callable[[Floats], Floats], right: Floats, scale: Floats) -> Floats | None:
    """Solve a positive definite system for `right` (R, K), `scale` (R,) near its diagonal; None without success."""
    solved, rest = np.zeros_like(right), right.copy()
    wanted = SOLVED * np.sqrt((right**2).sum(axis=0))
    towards = rest / scale[:, np.newaxis]
    step = towards
    energy = (rest * towards).sum(axis=0)
    for _ in range(MOST_ITERATIONS):
        if (np.sqrt((rest**2).sum(axis=0)) <= wanted).all():
            return solved
        turned = system(step)
        curvature = (step * turned).sum(axis=0)
        length = np.divide(energy, curvature, out=np.zeros_like(energy), where=curvature > 0)
        solved = solved + length * step
        rest = rest - length * turned
        towards = rest / scale[:, np.newaxis]
        now = (rest * towards).sum(axis=0)
        step = towards + np.divide(now, energy, out=np.zeros_like(now), where=energy > 0) * step
        energy = now
    return None


def connected_part(row: Ints, line: Ints, rows: int) -> Bools:
    """Return which levels of `row` belong to a part of so many, that are connected by shared levels of `line`."""
    size, lines = int(row.max()) + 1, int(line.max()) + 1
    order = np.random.default_rng(size).permutation(size)
    shape = (size + lines, size + lines)
    graph = scipy.sparse.csr_array((np.ones(len(row)), (order[row], size + line)), shape=shape)
    found: list[int] = []
    seen = np.zeros(size, dtype=np.bool_)
    while len(found) < rows:
        first = int(np.argmin(seen))
        reached = scipy.sparse.csgraph.breadth_first_order(
            graph, first, directed=False, return_predecessors=False
        )
        new = reached[reached < size]
        seen[new] = True
        found.extend(new[: rows - len(found)].tolist())
    chosen = np.zeros(size, dtype=np.bool_)
    chosen[found] = True
    return chosen[order]
