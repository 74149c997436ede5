import numpy as np
import pandas as pd

from lookbook.datasets.grouping import kept_together

TABLE = pd.DataFrame({"group": ["g", "", "g", "", "", ""], "alike": ["", "a", "a", "b", "b", ""]})


def sets_of(numbers):
    return sorted(np.flatnonzero(numbers == number).tolist() for number in set(numbers.tolist()))


def test_a_group_and_what_was_alike_stay_together():
    assert sets_of(kept_together(TABLE)) == [[0, 1, 2], [3, 4], [5]]


def test_so_does_what_is_alike_now():
    alike = np.array([0, 1, 2, 3, 4, 4])
    assert sets_of(kept_together(TABLE, alike)) == [[0, 1, 2], [3, 4, 5]]
