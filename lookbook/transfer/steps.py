"""The two steps of transfer learning: a head on a frozen base, then the base's last blocks too."""

import logging
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from lookbook.foundation.params import TrainTransferParams
from lookbook.foundation.schema import Auto
from lookbook.networks.architectures import build_head, join
from lookbook.splits.split import Split
from lookbook.training.augmentation import Augmentation
from lookbook.training.fitting import epochs_of, fit, save_curves
from lookbook.transfer.bases import blocks_of, unfreeze
from lookbook.transfer.features import Extractor, Features

NAME = "train_transfer"  # of the stage, for messages and checkpoints

TUNED_PARAMETERS = 4_000_000  # of a base, at most
TUNED_SHARE = 0.6  # of the blocks of a base that nearly knows the classes
FEWEST, MOST = 500, 20_000  # training pictures
# Of the validation pictures right with the base frozen. It then knows these classes nearly: its
# last blocks have the rest to learn, in half the time of all. Or there is hardly a rest.
NEARLY, ENOUGH = 0.9, 0.98

logger = logging.getLogger(__name__)


def blocks_to_tune(asked: int | Auto, base: keras.Model, train: Split, accuracy: float) -> int:
    """Return how many blocks of a base to train: as asked, or as many as pay.

    `auto` trains a base of at most `TUNED_PARAMETERS`, where there are pictures enough for it and
    not so many that it would take hours on a CPU: all of it, or the last blocks of one that nearly
    knows the classes, or none where hardly anything is left to be won.

    Args:
        asked: As the parameter says.
        base: From `load_base`.
        train: Training pictures.
        accuracy: With the base frozen, on validation pictures.
    """
    if asked != "auto":
        return asked
    small = base.count_params() <= TUNED_PARAMETERS
    pays = small and base.input_shape[-1] == 3 and FEWEST <= len(train) <= MOST
    if not pays or accuracy >= ENOUGH:
        return 0
    share = TUNED_SHARE if accuracy >= NEARLY else 1
    return max(1, int(share * len(blocks_of(base))))


def train_head(
    frozen: keras.Model,
    train: Split,
    validation: Split,
    settings: TrainTransferParams,
    watched: Path,
) -> tuple[keras.Model, pd.DataFrame, dict]:
    """Train a head on the features of the pictures.

    Args:
        frozen: From pictures to features.
        train: Training pictures.
        validation: Validation pictures.
        settings: Of the stage.
        watched: Where the curves are written after each epoch.

    Returns:
        The frozen base and the head as one model, the curves, and the figures.
    """
    spec, extractor = train.spec, Extractor(frozen)
    features = Features(
        extractor,
        train,
        views=settings.views,
        augmentation=Augmentation.of(settings.augmentation, spec),
        seed=settings.seed,
    )
    mean, variance = features.moments()
    head = build_head(spec, len(mean), mean=mean, variance=variance, dropout=settings.dropout)
    curves, figures = fit(
        head,
        features,
        Features(extractor, validation),
        settings,
        name=NAME,
        watch=partial(save_curves, path=watched),
    )
    return join(spec, frozen, head), curves, figures


def fine_tune(
    model: keras.Model,
    base: keras.Model,
    count: int,
    train: Split,
    validation: Split,
    settings: TrainTransferParams,
    head_curves: pd.DataFrame,
    watched: Path,
) -> tuple[pd.DataFrame, dict]:
    """Train the head and the last blocks of the base together, in place, at a low rate.

    Args:
        model: Base and head as one, from `train_head`.
        base: The base in it.
        count: How many blocks.
        train: Training pictures.
        validation: Validation pictures.
        settings: Of the stage.
        head_curves: Of the first step.
        watched: Where the curves of both are written after each epoch.

    Returns:
        The curves of both steps, one after the other, and the figures of this one.
    """

    def joined(curves: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([head_curves, curves.assign(epoch=curves["epoch"] + len(head_curves))])

    blocks = unfreeze(base, count)
    logger.info("fine-tuning %s", ", ".join(blocks))
    own = settings.fine_tune.model_dump(exclude={"blocks"})
    own["epochs"] = epochs_of(settings.fine_tune, len(train))
    curves, figures = fit(
        model,
        train,
        validation,
        settings.model_copy(update=own),
        name=f"{NAME}.fine_tune",
        augmentation=Augmentation.of(settings.augmentation, train.spec),
        watch=lambda curves: save_curves(joined(curves), watched),
    )
    return joined(curves), figures


def count_trainable(model: keras.Model) -> int:
    """Return how many numbers training may change."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
