"""The sums of a table of ratings that the likelihood of the ratings model needs (`stats.ratings.likelihood`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse

from stats.ratings.numbering import renumbered
from stats.scores import Bools, Floats, Ints

# The four terms in the order of the likelihood's ratios.
STRAND, LINE, CELL, ROW = range(4)
# Arrays of at most so many numbers are laid out in full.
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
        cells, cell = renumbered(row * methods + method)
        strands, strand = renumbered(line * methods + method)
        pairs, place = renumbered(cell * len(strands) + strand)
        return cls(
            y=y,
            cell=cell,
            strand=strand,
            cell_row=cells // methods,
            cell_method=cells % methods,
            strand_line=strands // methods,
            n_cell=np.bincount(cell).astype(np.float64),
            n_strand=np.bincount(strand).astype(np.float64),
            y_cell=summed(cell, y),
            y_strand=summed(strand, y),
            pair_cell=pairs // len(strands),
            pair_strand=pairs % len(strands),
            pair_ratings=np.bincount(place).astype(np.float64),
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
    def line_crossings(self) -> list[tuple[float, Floats]] | None:
        """
        Return W_z W_z' (cells x cells), W the counts by cell and line, for each number z of ratings that a line has.

        They are all that the likelihood needs of the lines where it has no strands. None where it has, or they are
        too large.
        """
        if self.kept[STRAND] or not self.kept[LINE]:
            return None
        n_line = np.bincount(self.strand_line, self.n_strand)
        sizes = np.unique(n_line)
        if len(sizes) * len(self.n_cell) ** 2 > MOST_DENSE:
            return None
        columns = self.by_line(np.ones(len(self.n_strand))).tocsc()
        found = []
        for size in sizes:
            part = columns[:, np.flatnonzero(n_line == size)].tocsr()
            found.append((float(size), (part @ part.T).toarray()))
        return found

    @cached_property
    def pair_line(self) -> tuple[Ints, Ints, Ints]:
        """Return the cells and lines that meet, and the place among them of every pair of cell and strand."""
        meetings, place = renumbered(self.pair_cell * self.lines + self.strand_line[self.pair_strand])
        return meetings // self.lines, meetings % self.lines, place

    def by_line(self, weights: Floats) -> Any:
        """Return the counts of ratings, each times the weight of its strand, by cell and line."""
        cell, line, place = self.pair_line
        data = np.bincount(place, self.pair_ratings * weights[self.pair_strand])
        return scipy.sparse.csr_array((data, (cell, line)), shape=(len(self.n_cell), self.lines))


def summed(place: Ints, values: Floats, width: int | None = None) -> Floats:
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
