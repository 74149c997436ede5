"""Which photos of people's own sets stay together, whatever they are shared out to."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def kept_together(table: pd.DataFrame, alike: np.ndarray | None = None) -> np.ndarray:
    """Number the photos of a list so that those that must stay together share a number.

    They are of one group, were found alike when they came, or are alike now.

    Args:
        table: `group` and `alike` of each photo, '' for one that is alone.
        alike: int of shape (n,): the same number for photos that are alike now.

    Returns:
        int of shape (n,).
    """
    count = len(table)
    alike = np.arange(count) if alike is None else alike
    one, other = [np.arange(count)], [count + alike]
    for place, column in enumerate(("group", "alike"), start=2):
        codes = pd.factorize(table[column].where(table[column] != ""))[0]
        named = np.flatnonzero(codes >= 0)
        one.append(named)
        other.append(place * count + codes[named])
    rows, columns = np.concatenate(one), np.concatenate(other)
    graph = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(4 * count,) * 2)
    return connected_components(graph, directed=False)[1][:count]
