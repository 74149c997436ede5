"""Train a new head on the base of a network trained on other pictures, then its last blocks too.

In: the training and validation splits, and the base. Out: models/train_transfer.keras (base and
head in one), its summary as text, and the curves of both steps, one after the other.

While the base is frozen each picture goes through it once, and the epochs see its features only;
they are kept, so that a change to the head costs seconds. Fine-tuning then goes through the whole
network for every picture and epoch.

    python -m stages.train_transfer  15 s on digits (0.96 test)
"""

import logging
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from lookbook.foundation.errors import explains_errors
from lookbook.foundation.files import write_metrics
from lookbook.foundation.params import Params, load_params
from lookbook.networks.architectures import build_feature_extractor, build_head, join
from lookbook.networks.saving import save_keras
from lookbook.splits.split import Split, training_splits
from lookbook.training.augmentation import Augmentation
from lookbook.training.checkpoints import discard
from lookbook.training.devices import prepared
from lookbook.training.fitting import fit, save_curves, save_summary
from lookbook.transfer.bases import load_base, unfreeze, weights_hash
from lookbook.transfer.features import Extractor, Features

MODEL = Path("models/train_transfer.keras")
SUMMARY = Path("models/train_transfer.txt")
CURVES = Path("metrics/curves/train_transfer.csv")
METRICS = Path("metrics/train_transfer.json")

logger = logging.getLogger("train_transfer")


def train_head(
    frozen: keras.Model, train: Split, validation: Split, params: Params
) -> tuple[keras.Model, pd.DataFrame, dict]:
    """Train a head on the features of the pictures.

    Returns:
        The frozen base and the head as one model, the curves, and the figures.
    """
    settings, spec = params.train_transfer, train.spec
    extractor = Extractor(frozen)
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
        name="train_transfer",
        watch=partial(save_curves, path=CURVES),
    )
    return join(spec, frozen, head), curves, figures


def fine_tune(
    model: keras.Model,
    base: keras.Model,
    train: Split,
    validation: Split,
    params: Params,
    head_curves: pd.DataFrame,
) -> tuple[pd.DataFrame, dict]:
    """Train the head and the last blocks of the base together, in place, at a low rate.

    Returns:
        The curves of both steps, one after the other, and the figures of this one.
    """
    settings = params.train_transfer

    def joined(curves: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([head_curves, curves.assign(epoch=curves["epoch"] + len(head_curves))])

    blocks = unfreeze(base, settings.fine_tune.blocks)
    logger.info("fine-tuning %s", ", ".join(blocks))
    own = settings.fine_tune.model_dump(exclude={"blocks"})
    curves, figures = fit(
        model,
        train,
        validation,
        settings.model_copy(update=own | {"min_steps": 0}),
        name="train_transfer.fine_tune",
        augmentation=Augmentation.of(settings.augmentation, train.spec),
        watch=lambda curves: save_curves(joined(curves), CURVES),
    )
    return joined(curves), figures


@explains_errors
def main() -> None:
    """Train the head, fine-tune if asked to, save base and head as one model."""
    params = load_params()
    settings = params.train_transfer
    train, validation = training_splits()
    with prepared(params.hardware, settings.seed):
        base = load_base(
            settings.base,
            weights=settings.weights,
            width=settings.width,
            image_size=train.image_shape[0],
        )
        base_hash = weights_hash(base)
        frozen = build_feature_extractor(train.spec, base)
        model, curves, figures = train_head(frozen, train, validation, params)
        trained = count_trainable(model)
        if settings.fine_tune.blocks:
            curves, tuned = fine_tune(model, base, train, validation, params, curves)
            figures = tuned | {"frozen": figures}
            trained = count_trainable(model)
    save_keras(model, MODEL)
    save_summary(model, SUMMARY)
    save_curves(curves, CURVES)
    counts = {"parameters": model.count_params(), "trained_parameters": trained}
    write_metrics(METRICS, figures | counts | {"base_weights_sha256": base_hash})
    discard("train_transfer")


def count_trainable(model: keras.Model) -> int:
    """Return how many numbers training may change."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


if __name__ == "__main__":
    main()
