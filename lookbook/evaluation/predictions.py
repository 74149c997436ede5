"""What a model says of each picture of a split, as a Parquet file.

    metrics/predictions/<split>/<model>.parquet

One row a picture, in the order of the split: `id`, `label` (index of the true class),
`strangeness` (float32, see `lookbook.evaluation.doubt`), and for each class, in label order, a
column `p_<class>` with its probability, float32. Whatever compares or
draws models reads these files; no model is run twice.

Each page has a checksum, and the file's metadata a hash of all that it says: a flipped bit is
noticed wherever it is.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import replacing
from lookbook.splits.split import Split

PREDICTIONS = Path("metrics/predictions")
PREFIX = "p_"
MOST_ROWS = 10**7  # pictures of a split
HASH = b"sha256"  # in the file's metadata, of what it says


@dataclass(frozen=True, eq=False)
class Predictions:
    """A model's probabilities for the pictures of a split.

    Attributes:
        ids: str of shape (n,), the pictures.
        labels: int32 of shape (n,), indices of the true classes.
        probabilities: float32 of shape (n, classes), rows adding up to 1.
        class_names: In label order.
        strangeness: float32 of shape (n,), how strange each picture is to the model.
    """

    ids: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    class_names: list[str]
    strangeness: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def predicted(self) -> np.ndarray:
        """The class that is given the highest probability, an index for each picture."""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def right(self) -> np.ndarray:
        """Whether each picture is given its true class."""
        return self.predicted == self.labels

    @cached_property
    def present(self) -> np.ndarray:
        """The classes that have a picture here, as indices."""
        return np.unique(self.labels)

    @property
    def sha256(self) -> str:
        """A hash of everything that this says."""
        digest = hashlib.sha256(repr((self.class_names, self.ids.tolist())).encode())
        for array in (self.labels, self.probabilities, self.strangeness):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def about_the_same(self, other: "Predictions") -> bool:
        """Return whether both are about the same pictures, in this order, with these classes."""
        return (
            self.class_names == other.class_names
            and np.array_equal(self.ids, other.ids)
            and np.array_equal(self.labels, other.labels)
        )

    def check_about(self, split: Split) -> None:
        """Raise a LookbookError unless this is about the pictures of a split."""
        if not np.array_equal(self.ids, split.ids):
            raise LookbookError(
                f"Expected predictions for the {len(split)} pictures of {split.folder}. Received: "
                f"predictions for {len(self)} pictures that are not the same. Run `dvc repro`."
            )


def prediction_file(model: str, split: str) -> Path:
    """Return where a model's predictions for a split are kept."""
    return PREDICTIONS / split / f"{model}.parquet"


def predictions_for(
    split: Split, probabilities: np.ndarray, strangeness: np.ndarray | None = None
) -> Predictions:
    """Return the predictions for a split's pictures.

    Args:
        split: The pictures.
        probabilities: float (n, classes).
        strangeness: float (n,); by default nothing is strange.
    """
    strange = np.zeros(len(split)) if strangeness is None else strangeness
    return Predictions(
        split.ids,
        split.labels,
        probabilities.astype(np.float32),
        list(split.spec.class_names),
        strange.astype(np.float32),
    )


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write predictions, the same bytes for the same content."""
    columns = {
        "id": pa.array(predictions.ids),
        "label": pa.array(predictions.labels),
        "strangeness": pa.array(predictions.strangeness),
    }
    for label, name in enumerate(predictions.class_names):
        columns[PREFIX + name] = pa.array(predictions.probabilities[:, label])
    with replacing(path) as partial:
        table = pa.table(columns, metadata={HASH: predictions.sha256})
        pq.write_table(table, partial, compression="zstd", write_page_checksum=True)


def read_predictions(source: Path | bytes, name: str) -> Predictions:
    """Read predictions.

    Args:
        source: The path of the file, or what is in it.
        name: What to call it in a message.

    Raises:
        LookbookError: If it is missing, damaged, or another file.
    """
    try:
        memory = pa.BufferReader(source) if isinstance(source, bytes) else source
        # In this thread alone: one of Arrow's that still reads where the process ends waits for
        # Python's lock for ever.
        with pq.ParquetFile(memory, page_checksum_verification=True, pre_buffer=False) as file:
            said = file.metadata
            groups = [said.row_group(number).num_rows for number in range(said.num_row_groups)]
            if said.num_rows > MOST_ROWS or min(groups, default=0) < 0:
                raise ValueError(f"more than {MOST_ROWS:,} rows")
            if sum(groups) != said.num_rows:  # Arrow makes room for as many as a group says
                raise ValueError(f"{said.num_rows:,} rows in groups of {sum(groups):,}")
            table = file.read(use_threads=False)
        names = [column for column in table.column_names if column.startswith(PREFIX)]
        probabilities = [table[column].to_numpy() for column in names]
        predictions = Predictions(
            table["id"].to_numpy().astype(str),
            table["label"].to_numpy(),
            np.stack(probabilities, axis=1),
            [column.removeprefix(PREFIX) for column in names],
            # Revisions from before it was measured have none.
            table["strangeness"].to_numpy()
            if "strangeness" in table.column_names
            else np.zeros(len(table), np.float32),
        )
        _check_types(predictions)
        if (table.schema.metadata or {}).get(HASH) not in (None, predictions.sha256.encode()):
            raise ValueError("something else than was written")
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise LookbookError(
            f"Expected the predictions of a model in {name}. Received: {reason}. Run `dvc repro "
            "evaluate`, or `dvc checkout` to bring them back."
        ) from None
    return predictions


def _check_types(predictions: Predictions) -> None:
    labels, shares = predictions.labels, predictions.probabilities
    if labels.dtype.kind != "i" or shares.dtype.kind != "f":
        raise ValueError(f"labels of {labels.dtype} and probabilities of {shares.dtype}")
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(predictions.class_names):
        raise ValueError("labels that are of no class")
