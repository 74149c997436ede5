"""The learning curve that `lookbook learning_curve` left: is it one of these data?"""

import hashlib
import json
from pathlib import Path

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.params import Params

FILE = Path("metrics/learning_curve.json")  # {} until the command was run


def fingerprint_of(network: str, params: Params, splits: dict[str, str]) -> str:
    """Return a hash of what a learning curve depends on, as hex digits.

    Args:
        network: `train_transfer`, of which the base and the seed count, or `train_cnn`.
        params: All parameters.
        splits: The fingerprints of the training and the validation split.
    """
    if network == "train_transfer":
        settings = params.train_transfer.model_dump(include={"base", "weights", "width", "seed"})
    else:
        settings = params.train_cnn.model_dump()
    parts = (network, settings, splits["train"], splits["validation"])
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def read_learning_curve(path: Path, params: Params, splits: dict[str, str]) -> dict | None:
    """Return what the file says, or None if it is of other data or parameters.

    Args:
        path: As the command wrote it.
        params: All parameters.
        splits: The fingerprints of the training and the validation split.

    Raises:
        LookbookError: If it is damaged.
    """
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
        if not figures:
            return None
        of_these = figures["fingerprint"] == fingerprint_of(figures["network"], params, splits)
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise LookbookError(
            f"Expected a learning curve, or {{}}, in {path}. Received: {error!r}. Run "
            f"`git checkout {path}` or `lookbook learning_curve`."
        ) from None
    return figures if of_these else None
