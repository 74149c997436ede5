"""Train a Keras model: the part that all networks have in common."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import write_csv
from lookbook.foundation.params import FineTuneParams, TrainingParams
from lookbook.foundation.stopwatch import note
from lookbook.training.augmentation import Augmentation
from lookbook.training.batches import Examples, evaluation_batches, training_chunks
from lookbook.training.checkpoints import Checkpoint, discard, identity_of
from lookbook.training.devices import check_memory, device_count, out_of_memory
from lookbook.training.optimizers import FUSED, KERAS
from lookbook.training.steps import Progress, StopAtNaN, Trainer

CURVES = ["loss", "accuracy", "val_loss", "val_accuracy"]
LEAST_PATIENCE = 10  # epochs
UNDECAYED = ["bias", "gamma", "beta"]  # weight decay is for the weights of connections only

logger = logging.getLogger(__name__)


def fit(
    model: keras.Model,
    train: Examples,
    validation: Examples,
    settings: TrainingParams,
    *,
    name: str,
    augmentation: Augmentation | None = None,
    watch: Callable[[pd.DataFrame], None] | None = None,
) -> tuple[pd.DataFrame, dict]:
    """Train a model in place, to its best weights on validation data.

    A training that was killed goes on after the epoch whose state it wrote last, and ends as it
    would have. That state stays on disk until `checkpoints.discard`, for a kill before the model is
    saved.

    Args:
        model: From the inputs of `train` to probabilities, built inside `hardware.prepared`.
        train: Training examples.
        validation: Validation examples.
        settings: Optimizer, learning rate, batch size, epochs, early stopping, seed.
        name: The section of params.yaml, for messages and for the checkpoint.
        augmentation: Of the training pictures.
        watch: Called with the curves so far after each epoch.

    Returns:
        The curves, one row an epoch (epoch, loss, accuracy, val_loss, val_accuracy), and the
        figures of the epoch whose weights the model ends with.

    Raises:
        LookbookError: If the loss is no longer a finite number, or memory is too small.
    """
    check_memory(model, settings.batch_size, f"{name}.batch_size")
    epochs = epochs_of(settings, len(train))
    devices = device_count()
    trainer = compiled(model, train, settings)
    held_out, steps = evaluation_batches(validation, devices=devices)
    before = trainer.evaluate(held_out, steps=steps, verbose=0, return_dict=True)
    stopping = None
    patience = patience_of(settings, epochs)
    if patience:
        stopping = keras.callbacks.EarlyStopping(
            monitor="val_loss", patience=patience, restore_best_weights=True
        )
    parts = (settings, augmentation, train.fingerprint(), validation.fingerprint())
    checkpoint = Checkpoint(name, identity_of(model, *parts), stopping)
    training, chunks_an_epoch = training_chunks(
        train,
        batch_size=settings.batch_size,
        seed=settings.seed,
        augmentation=augmentation,
        first_epoch=checkpoint.epoch,
        devices=devices,
    )
    logger.info(
        "%s: %s and %s validation examples, at most %d epochs",
        name, f"{len(train):,} training", f"{len(validation):,}", epochs,
    )  # fmt: skip
    progress = Progress(epochs, chunks_an_epoch)
    callbacks = [StopAtNaN(), *([stopping] if stopping else []), checkpoint, progress]
    if watch:
        callbacks.append(
            keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: watch(_table(checkpoint.rows)))
        )
    start = time.perf_counter()
    try:
        trainer.fit(
            training,
            validation_data=held_out,
            validation_steps=steps,
            initial_epoch=epochs if checkpoint.stopped else checkpoint.epoch,
            epochs=epochs,
            steps_per_epoch=chunks_an_epoch,
            callbacks=callbacks,
            shuffle=False,  # `training_chunks` has shuffled
            verbose=0,
        )
    except LookbookError:  # the loss is not finite, and would not be at the next try
        discard(name)
        raise
    except tf.errors.ResourceExhaustedError as error:
        raise out_of_memory(f"{name}.batch_size", settings.batch_size, error.message) from None
    finally:
        progress.close()
    seconds = time.perf_counter() - start
    if not checkpoint.resumed:
        note(name, seconds)
    curves = _table(checkpoint.rows)
    figures = _figures(curves, before["accuracy"], stopped_early=patience > 0)
    figures["epochs_planned"] = epochs
    logger.info(
        "validation accuracy %.4f (%.4f before), epoch %d of %d; "
        "%.0f s, %.0f %% of it waiting for data",
        figures["validation_accuracy"], before["accuracy"], figures["best_epoch"], len(curves),
        seconds, 100 * trainer.waited / seconds,
    )  # fmt: skip
    return curves, figures


def measured(model: keras.Model, validation: Examples) -> dict:
    """Return what a model comes to on validation examples: `validation_loss` and `_accuracy`."""
    trainer = Trainer(model, batch_size=1, label_smoothing=0.0, class_weights=None)
    trainer.compile(loss="categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    first = np.arange(1)
    trainer.build_figures(validation.images(first), validation.targets(first))
    batches, steps = evaluation_batches(validation, devices=device_count())
    found = trainer.evaluate(batches, steps=steps, verbose=0, return_dict=True)
    return {f"validation_{name}": float(found[name]) for name in ("loss", "accuracy")}


def epochs_of(settings: TrainingParams | FineTuneParams, count: int) -> int:
    """Return how often to go through `count` examples, at most: as asked, or enough steps."""
    if settings.epochs != "auto":
        return settings.epochs
    return max(settings.least_epochs, -(-settings.least_steps // _steps(settings, count)))


def patience_of(settings: TrainingParams, epochs: int) -> int:
    """Return how many epochs without a lower validation loss end a training; 0: none.

    As asked; `auto` grows with the epochs, so that those of small sets, of which a warm-up alone
    takes many, are not the last.
    """
    if settings.early_stopping != "auto":
        return settings.early_stopping
    return max(LEAST_PATIENCE, epochs // 5)


def compiled(
    model: keras.Model, train: Examples, settings: TrainingParams, *, in_chunks: bool = True
) -> Trainer:
    """Return the model as one that Keras can train as the settings say.

    Args:
        model: From inputs to probabilities.
        train: Training examples.
        settings: Of the training.
        in_chunks: Whether it is given what `training_chunks` gives to `device_count` devices; else
            it is one batch, as Keras trains on it.
    """
    balanced = settings.class_weights == "balanced"
    trainer = Trainer(
        model,
        batch_size=settings.batch_size if in_chunks else None,
        label_smoothing=settings.label_smoothing,
        class_weights=balanced_weights(train, model.output_shape[-1]) if balanced else None,
    )
    steps = epochs_of(settings, len(train)) * _steps(settings, len(train))
    trainer.compile(
        build_optimizer(settings, steps=steps),
        "categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,  # see `lookbook.training.devices`
    )
    trainer.optimizer.build(trainer.trainable_variables)
    first = np.arange(1)
    trainer.build_figures(train.images(first), train.targets(first))
    return trainer


def balanced_weights(examples: Examples, num_classes: int) -> np.ndarray:
    """Return float32 of shape (num_classes,): weights that make every class count alike.

    n / (classes x pictures of the class), as scikit-learn's `class_weight="balanced"`; their mean
    over the pictures is 1. A class without pictures has weight 0.
    """
    targets = examples.targets(np.arange(len(examples)))
    labels = targets if targets.ndim == 1 else targets.argmax(axis=1)
    counts = np.bincount(labels, minlength=num_classes)
    weights = len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return np.where(counts, weights, 0).astype(np.float32)


def build_optimizer(settings: TrainingParams, *, steps: int) -> keras.optimizers.Optimizer:
    """Return the optimizer for a training of this many steps.

    Weight decay is decoupled (Loshchilov and Hutter, arXiv 1711.05101): each step takes
    learning rate x weight_decay of a weight away. A warm-up with cosine decay is the one-cycle
    policy (Smith, arXiv 1803.09820) without its change of momentum.
    """
    common = {
        "learning_rate": _rate(settings, steps),
        "weight_decay": settings.weight_decay or None,
        "global_clipnorm": settings.clip_norm or None,
    }
    if settings.optimizer in {"sgd", "muon"}:
        common["momentum"] = settings.momentum
    optimizers = FUSED if device_count() == 1 else KERAS
    optimizer = optimizers[settings.optimizer](**common)
    if settings.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=UNDECAYED)
    return optimizer


def save_curves(curves: pd.DataFrame, path: Path) -> None:
    """Write the curves as CSV for `dvc plots`; after each epoch, they can be watched."""
    write_csv(path, curves.round(6))


def _steps(settings: TrainingParams | FineTuneParams, count: int) -> int:
    return -(-count // settings.batch_size)


def _rate(
    settings: TrainingParams, steps: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    rate, warmup = settings.learning_rate, round(settings.warmup * steps)
    if settings.schedule == "constant" and not warmup:
        return rate
    # Constant after a warm-up: a decay to the rate itself.
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else rate,
        decay_steps=max(1, steps - warmup),
        alpha=1.0 if settings.schedule == "constant" else 0.0,
        warmup_target=rate if warmup else None,
        warmup_steps=warmup,
    )


def _table(rows: list[dict[str, float]]) -> pd.DataFrame:
    curves = pd.DataFrame(rows, columns=CURVES)
    curves.insert(0, "epoch", curves.index + 1)
    return curves


def _figures(curves: pd.DataFrame, accuracy_before: float, *, stopped_early: bool) -> dict:
    kept = curves.loc[curves["val_loss"].idxmin()] if stopped_early else curves.iloc[-1]
    return {
        "validation_accuracy_before": float(accuracy_before),
        "train_loss": float(kept["loss"]),
        "train_accuracy": float(kept["accuracy"]),
        "validation_loss": float(kept["val_loss"]),
        "validation_accuracy": float(kept["val_accuracy"]),
        "epochs": len(curves),
        "best_epoch": int(kept["epoch"]),
    }
