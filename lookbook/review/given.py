"""The labels that the data give their pictures, before any review changed them."""

import hashlib

import numpy as np
import pandas as pd

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import read_csv
from lookbook.splits.spec import PROCESSED, SPLITS, Spec, damaged, read_spec
from lookbook.splits.split import Split

RELABELLED = PROCESSED / "relabelled.csv"
DIGITS = 12  # of a fingerprint


def spec_of(dataset: str) -> Spec:
    """Return the description of the splits.

    Raises:
        LookbookError: If they are missing, or of another set.
    """
    spec = read_spec()
    if spec.dataset != dataset:
        raise LookbookError(
            f"Expected the splits of {dataset} in {PROCESSED}. Received: those of "
            f"{spec.dataset or 'an older version'}. Run `dvc repro preprocess`."
        )
    return spec


def given_labels(spec: Spec) -> pd.DataFrame:
    """Return the columns id and given (a class name) of all pictures, of every split.

    Those that a review dropped are among them.
    """
    index = pd.concat([Split(name).index() for name in SPLITS], ignore_index=True)
    index["given"] = np.array(spec.class_names, object)[index["label"]]
    try:
        changed = read_csv(RELABELLED)
    except (FileNotFoundError, ValueError) as error:
        raise damaged(RELABELLED, "the list of changed labels", error) from None
    stays = ~index["source"].isin(changed["source"])
    return pd.concat(
        [index.loc[stays, ["id", "given"]], changed[["id", "given"]]], ignore_index=True
    )


def fingerprint(given: pd.DataFrame) -> str:
    """Return a short hash of which pictures there are and what labels the data give them.

    It does not depend on the splits, on the size of the pictures or on what a review decided.
    """
    rows = sorted(f"{row.id} {row.given}\n" for row in given.itertuples())
    return hashlib.sha256("".join(rows).encode()).hexdigest()[:DIGITS]
