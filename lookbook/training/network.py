"""Train a network on pictures and leave what comes of it: what the training stages share."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import keras
import pandas as pd

from lookbook.foundation.files import write_metrics
from lookbook.foundation.params import AugmentationParams, HardwareParams, TrainingParams
from lookbook.networks.architectures import seen_size
from lookbook.networks.saving import save_keras, save_summary
from lookbook.splits.spec import Spec
from lookbook.splits.split import training_splits
from lookbook.training.augmentation import Augmentation
from lookbook.training.checkpoints import discard
from lookbook.training.devices import kept, prepared
from lookbook.training.fitting import fit, save_curves

Settings = TypeVar("Settings", bound=TrainingParams)


class Outputs(NamedTuple):
    """The files that a training leaves.

    Attributes:
        model: As `lookbook.networks.saving.save_keras` writes it.
        summary: Keras's summary of it, as text.
        curves: Loss and accuracy by epoch, as CSV.
        metrics: The figures, as JSON.
    """

    model: Path
    summary: Path
    curves: Path
    metrics: Path


def train_network(
    name: str,
    build: Callable[[Spec, Settings], keras.Model],
    settings: Settings,
    hardware: HardwareParams,
    outputs: Outputs,
    *,
    augmentation: AugmentationParams | None = None,
) -> None:
    """Build a network for the processed pictures, train it, save it, write its figures.

    Args:
        name: The stage's.
        build: Makes the untrained network from the splits' description and the settings.
        settings: The stage's section of params.yaml.
        hardware: What to train on.
        outputs: Where to leave what comes of it.
        augmentation: The largest change to a training picture.
    """
    train, validation = training_splits()
    settings = settled(settings, train.spec)
    with prepared(hardware, settings.seed):
        model = build(train.spec, settings)
        curves, figures = fit(
            model,
            train,
            validation,
            settings,
            name=name,
            augmentation=Augmentation.of(augmentation, train.spec) if augmentation else None,
            watch=partial(save_curves, path=outputs.curves),
        )
    figures |= {
        "parameters": model.count_params(),
        "image_size": seen_size(model),
        "class_weights": settings.class_weights,
        "repeatable": kept(hardware),
    }
    leave(name, outputs, model, curves, figures)


def settled(settings: Settings, spec: Spec) -> Settings:
    """Return the settings with what the data say where they leave it to them."""
    weights = spec.chosen("class_weights", settings.class_weights)
    return settings.model_copy(update={"class_weights": weights})


def leave(
    name: str, outputs: Outputs, model: keras.Model, curves: pd.DataFrame, figures: dict
) -> None:
    """Write the files of a finished training; only then is its checkpoint of no more use."""
    save_keras(model, outputs.model)
    save_summary(model, outputs.summary)
    save_curves(curves, outputs.curves)
    write_metrics(outputs.metrics, figures)
    discard(name)
