"""The linear classifier's file."""

import zipfile

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

from lookbook.shallow.linear import LinearModel, save_linear
from lookbook.splits.spec import Scaling

PIXELS = np.random.default_rng(0).integers(0, 256, (60, 4, 3, 1), dtype=np.uint8)


@pytest.fixture
def path(tmp_path):
    """The file of a classifier for three classes."""
    classifier = SGDClassifier(loss="log_loss", random_state=0, max_iter=5, tol=None)
    classifier.fit(PIXELS.reshape(60, 12) / 255, np.arange(60) % 3)
    save_linear(tmp_path / "baseline.npz", classifier, Scaling("unit", [1 / 255], [0.0]), 1)
    return tmp_path / "baseline.npz"


def test_every_flipped_bit_is_noticed_or_harmless(path):
    content, said = path.read_bytes(), LinearModel(path).look(PIXELS)[1]
    noticed = 0
    for bit in range(0, 8 * len(content), 7):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            assert np.array_equal(LinearModel(path).look(PIXELS)[1], said)
        except (OSError, EOFError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile):
            noticed += 1
    assert noticed > 1000
