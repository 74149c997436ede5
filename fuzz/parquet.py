"""Predictions of a model, as another revision or another's remote has them."""

from pathlib import Path

import numpy as np

from lookbook.evaluation.predictions import Predictions, read_predictions, write_predictions
from lookbook.foundation.files import remove


def _made(count: int) -> bytes:
    path = Path(__file__).parent / f".partial-{count}.parquet"
    shares = np.full((count, 2), 0.5, np.float32)
    labels = np.arange(count, dtype=np.int32) % 2
    ids = np.array([f"{row:016x}" for row in range(count)])
    write_predictions(path, Predictions(ids, labels, shares, ["cats", "dogs"], shares[:, 0]))
    content = path.read_bytes()
    remove(path)
    return content


SEEDS = [_made(3), _made(200), _made(0)]


def read(content: bytes, folder: Path) -> None:
    """Read the predictions."""
    predictions = read_predictions(content, "predictions")
    assert len(predictions.predicted) == len(predictions.ids) == len(predictions)
