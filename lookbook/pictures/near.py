"""Near duplicates among likenesses, found without comparing all of every pair.

Two pictures are near duplicates if their likenesses (`lookbook.pictures.likeness`) differ from cell
to neighbouring cell in nearly the same way: the cosine of these differences reaches a threshold.
Of unit vectors u and v, whose projections on some axes are p and q,

    u.v <= p.q + sqrt(1 - |p|^2) sqrt(1 - |q|^2)

by Cauchy and Schwarz. With the axes on which likenesses differ most, a product of 32 numbers rules
out all but a few pairs in 10,000. It decides nothing: the same pairs are found as without it.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lookbook.pictures.likeness import (
    GRID,
    NEAR_THRESHOLD,
    brightness_steps,
    cosine,
    keys,
    unit_vectors,
)

AXES = 31  # and what is left make 32, of which matrix products are quickest
AXES_FROM = 4096  # likenesses: more make no better axes
ROUNDING = 1e-5  # more than float32 similarities, and bounds on them, are off by
BLOCK_ROWS = 1024  # compared at a time: their bounds stay in a processor's cache
DENSE = 1 / 64  # share of a block's pairs from which on a product of all of it costs less


class Pairs(NamedTuple):
    """Pairs of likenesses that may be near: a row of one set, of another, how alike they are."""

    query: np.ndarray
    base: np.ndarray
    similarity: np.ndarray


class Shortened:
    """Some of the likenesses, with a short form of each.

    Attributes:
        grids: uint8 of shape (n, GRID, GRID).
        rows: int of shape (m,), which of them.
        short: float32 of shape (m, AXES + 1), whose products are bounds of the cosines.
    """

    def __init__(self, grids: np.ndarray, rows: np.ndarray, axes: np.ndarray):
        """Shorten.

        Args:
            grids: The likenesses.
            rows: Which of them.
            axes: float32 of shape (values, AXES), orthonormal, as `principal_axes` returns them.
        """
        self.grids, self.rows = grids, rows
        self.short = np.empty((len(rows), axes.shape[1] + 1), np.float32)
        for block in blocks(len(rows)):
            projected = self.vectors(block) @ axes
            rest = 1 - np.einsum("ij,ij->i", projected, projected)
            self.short[block, :-1] = projected
            # Rounding makes a root of nearly 0 too small: the bound has to stay one.
            self.short[block, -1] = np.sqrt(rest.clip(min=0) + ROUNDING / 10)

    def vectors(self, rows: np.ndarray | slice) -> np.ndarray:
        """Return some as vectors of length 1: float32 (n, values)."""
        return unit_vectors(brightness_steps(self.grids[self.rows[rows]]))


def principal_axes(grids: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the axes on which some of the likenesses differ most: float32 (values, AXES)."""
    some = rows[:: max(1, len(rows) // AXES_FROM)]
    parts = (unit_vectors(brightness_steps(grids[some[block]])) for block in blocks(len(some)))
    values = 2 * GRID * (GRID - 1)
    squares = sum((part.T @ part for part in parts), np.zeros((values, values), np.float32))
    return np.linalg.eigh(squares)[1][:, -AXES:]


def blocks(count: int) -> list[slice]:
    """Return the slices of at most `BLOCK_ROWS` that make up so many rows."""
    return [slice(start, min(start + BLOCK_ROWS, count)) for start in range(0, count, BLOCK_ROWS)]


def near_pairs(query: Shortened, q: slice, base: Shortened, b: slice, threshold: float) -> Pairs:
    """Return all pairs of two blocks that reach a threshold, by float32 similarities.

    Some that fall short of it by less than `ROUNDING` may be among them.
    """
    bar = threshold - ROUNDING
    bounds = query.short[q] @ base.short[b].T
    i, j = np.divmod(np.flatnonzero(bounds >= bar), bounds.shape[1])
    if len(i) > DENSE * bounds.size:
        all_of_it = query.vectors(q) @ base.vectors(b).T
        i, j = np.nonzero(all_of_it >= bar)
        similarity = all_of_it[i, j]
    else:
        similarity = np.empty(len(i), np.float32)
        for part in blocks(len(i)):  # their vectors take far more memory than the pairs
            one, other = query.vectors(i[part] + q.start), base.vectors(j[part] + b.start)
            similarity[part] = np.einsum("ij,ij->i", one, other)
        near = similarity >= bar
        i, j, similarity = i[near], j[near], similarity[near]
    return Pairs(i + q.start, j + b.start, similarity)


def exactly(grids: np.ndarray, rows: np.ndarray, others: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Return the cosine of each pair from whole numbers, the same on every machine: float64 (n,).

    Args:
        grids: Likenesses.
        rows: A row of them for each pair.
        others: Likenesses too.
        of: A row of those for each pair.
    """
    parts = (
        cosine(brightness_steps(grids[rows[part]]), brightness_steps(others[of[part]]))
        for part in blocks(len(rows))
    )
    return np.concatenate([np.empty(0), *parts])


def near_components(
    grids: np.ndarray, known: int = 0, threshold: float = NEAR_THRESHOLD
) -> np.ndarray:
    """Number the pictures so that near duplicates, and near duplicates of those, share a number.

    Args:
        grids: uint8 of shape (n, GRID, GRID).
        known: How many of the first are not compared with each other.
        threshold: From 0 to 1.

    Returns:
        int of shape (n,).
    """
    first, of_first = np.unique(keys(grids), return_index=True, return_inverse=True)[1:]
    rows = np.sort(first)
    different = Shortened(grids, rows, principal_axes(grids, rows))
    pairs = [(np.arange(len(grids)), first[of_first])]  # copies are joined by the first of them
    for b in blocks(len(rows)):
        for q in blocks(len(rows)):
            if q.start < b.start or rows[q.stop - 1] < known:
                continue
            found = near_pairs(different, q, different, b, threshold)
            upper = found.query > found.base
            i, j = rows[found.query[upper]], rows[found.base[upper]]
            near = exactly(grids, i, grids, j) >= threshold
            pairs.append((i[near], j[near]))
    one, other = (np.concatenate(side) for side in zip(*pairs, strict=True))
    graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(len(grids),) * 2)
    return connected_components(graph, directed=False)[1]


def nearest(query: np.ndarray, base: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the near duplicate of each picture among others.

    The similarity that is returned comes from whole numbers, so it is the same on every machine.

    Args:
        query: uint8 of shape (n, GRID, GRID).
        base: uint8 of shape (m, GRID, GRID).

    Returns:
        float64 (n,), the similarity to the most similar, and int64 (n,), its row in `base`; 0 and
        -1 where none reaches `NEAR_THRESHOLD`.
    """
    best, found = np.zeros(len(query)), np.full(len(query), -1)
    # Copies of one picture would all be candidates; the first stands for them.
    rows = np.sort(np.unique(keys(base), return_index=True)[1])
    axes = principal_axes(base, rows)
    known, asked = Shortened(base, rows, axes), Shortened(query, np.arange(len(query)), axes)
    for b in blocks(len(rows)):
        for q in blocks(len(query)):
            of_query, of_base, similarity = near_pairs(asked, q, known, b, NEAR_THRESHOLD)
            highest = np.zeros(q.stop - q.start, np.float32)
            np.maximum.at(highest, of_query - q.start, similarity)
            near = similarity >= highest[of_query - q.start] - ROUNDING
            of_query, of_base = of_query[near], rows[of_base[near]]
            exact = exactly(query, of_query, base, of_base)
            order = np.lexsort((-of_base, exact))  # the best last, and of equals the first
            of_query, of_base, exact = of_query[order], of_base[order], exact[order]
            better = (exact >= NEAR_THRESHOLD) & (exact > best[of_query])
            best[of_query[better]] = exact[better]
            found[of_query[better]] = of_base[better]
    return best, found
