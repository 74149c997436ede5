"""Train a network on pictures and leave what comes of it: what the training stages share."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import keras
import pandas as pd

from lookbook.foundation.files import write_metrics
from lookbook.foundation.params import AugmentationParams, HardwareParams, TrainingParams
from lookbook.foundation.schema import Auto
from lookbook.networks.architectures import seen_size, with_mirrored
from lookbook.networks.saving import save_keras, save_summary
from lookbook.splits.spec import Spec
from lookbook.splits.split import Split, training_splits
from lookbook.training.augmentation import Augmentation
from lookbook.training.checkpoints import discard
from lookbook.training.devices import kept, prepared
from lookbook.training.fitting import fit, measured, save_curves

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
    test_time_flip: bool | Auto = False,
) -> None:
    """Build a network for the processed pictures, train it, save it, write its figures.

    Args:
        name: The stage's.
        build: Makes the untrained network from the splits' description and the settings.
        settings: The stage's section of params.yaml.
        hardware: What to train on.
        outputs: Where to leave what comes of it.
        augmentation: The largest change to a training picture.
        test_time_flip: Whether the network answers for the mirror image too, see `answering`.
    """
    train, validation = training_splits()
    settings = settled(settings, train.spec)
    changes = Augmentation.of(augmentation, train.spec) if augmentation else None
    with prepared(hardware, settings.seed):
        model = build(train.spec, settings)
        curves, figures = fit(
            model,
            train,
            validation,
            settings,
            name=name,
            augmentation=changes,
            watch=partial(save_curves, path=outputs.curves),
        )
        model, better = answering(model, test_time_flip, changes, validation)
        figures |= better
    figures |= {
        "parameters": model.count_params(),
        "image_size": seen_size(model),
        "class_weights": settings.class_weights,
        "repeatable": kept(hardware),
    }
    leave(name, outputs, model, curves, figures)


def answering(
    model: keras.Model,
    test_time_flip: bool | Auto,
    changes: Augmentation | None,
    validation: Split,
) -> tuple[keras.Model, dict]:
    """Return a trained network as it answers, and how well where that is in another way.

    Args:
        model: As it was trained.
        test_time_flip: Whether it also asks about the mirror image; `auto`: if it saw such images.
        changes: Of its training pictures, if they were changed.
        validation: Validation pictures.
    """
    seen = changes is not None and changes.flip
    flips = seen if test_time_flip == "auto" else test_time_flip
    if not flips:
        return model, {}
    model = with_mirrored(model)
    return model, measured(model, validation)


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
