import sys

import numpy as np
import pytest
from support import ROOT, run

from lookbook.splits.shards import Shards

ROWS = np.arange(30, dtype=np.int16).reshape(10, 3)


@pytest.fixture
def of_ten(tmp_path):
    """Ten rows in files of 4, 0, 5 and 1."""
    paths = [tmp_path / f"{n}.npy" for n in range(4)]
    parts = np.split(ROWS, [4, 4, 9])
    for path, part in zip(paths, parts, strict=True):
        np.save(path, part)
    return Shards(paths, [len(part) for part in parts], (3,), np.int16)


@pytest.mark.parametrize(
    "rows",
    [[0], [9, 0, 4, 3, 3], [1, 2, 5, 6, 7, 8, 9], [5, 6, 0, 1, 7, 2], range(10), []],
    ids=str,
)
def test_rows_are_found_in_any_order(of_ten, rows):
    rows = np.array(rows, int)
    for taken in (of_ten.take(rows), of_ten.read(rows)):
        np.testing.assert_array_equal(taken, ROWS[rows])
        assert taken.dtype == np.int16
    assert len(of_ten) == 10
    np.testing.assert_array_equal(np.concatenate(list(of_ten)), ROWS)


def test_none_at_all_have_their_shape():
    assert Shards([], [], (2, 2), np.uint8).take(np.array([], int)).shape == (0, 2, 2)


def test_more_files_than_a_process_may_open(tmp_path):
    paths = [tmp_path / f"{n:04}.npy" for n in range(400)]
    for number, path in enumerate(paths):
        np.save(path, np.full((2, 1), number, np.int16))
    code = """
import resource, sys
from pathlib import Path
import numpy as np
from lookbook.splits import shards
resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
paths = sorted(Path(sys.argv[1]).glob("*.npy"))
many = shards.Shards(paths, [2] * len(paths), (1,), np.int16)
rows = np.random.default_rng(0).permutation(len(many))
np.testing.assert_array_equal(many.take(rows)[:, 0], rows // 2)
np.testing.assert_array_equal(many.read(rows)[:, 0], rows // 2)
assert many._mapped.cache_info().currsize == shards.MOST_OPEN
"""
    run(sys.executable, "-c", code, str(tmp_path), cwd=ROOT)
