"""Train a Keras model: the part that all networks have in common."""

import logging
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from lookbook.batches import Augmentation, Source, evaluation_batches, training_chunks
from lookbook.errors import LookbookError
from lookbook.files import replacing
from lookbook.params import TrainingParams

CURVES = ["loss", "accuracy", "val_loss", "val_accuracy"]

logger = logging.getLogger(__name__)


class _Trainer(keras.Model):
    """A model with another model's layers, whose training step takes a chunk of batches.

    Keras's own way to take several steps in one call, `steps_per_execution`, wraps each batch in
    optional values; at 32 small pictures a batch that costs as much as the step itself.
    """

    batch_size: int

    def train_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict:
        """Take a step for each batch of a chunk; return the epoch's figures so far."""
        x, y = data
        train_on_batch = super().train_step

        def step(start: tf.Tensor) -> tf.Tensor:
            batch = slice(start, start + self.batch_size)
            train_on_batch((x[batch], y[batch]))
            return start + self.batch_size

        tf.while_loop(lambda start: start < tf.shape(x)[0], step, [0])
        return self.get_metrics_result()


def make_deterministic(seed: int) -> None:
    """Seed everything and make TensorFlow's results repeatable on one kind of machine."""
    keras.config.set_floatx("float32")  # ~/.keras/keras.json may say otherwise
    keras.config.set_image_data_format("channels_last")
    keras.utils.clear_session()  # layer names do not depend on what was built before
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def fit(
    model: keras.Model,
    train: Source,
    validation: Source,
    settings: TrainingParams,
    *,
    one_hot: bool,
    augmentation: Augmentation | None = None,
) -> tuple[pd.DataFrame, dict]:
    """Train a model in place, to its best weights on validation data.

    Args:
        model: From the inputs of `train` to probabilities.
        train: Training examples.
        validation: Validation examples.
        settings: Optimizer, learning rate, batch size, epochs, early stopping, seed.
        one_hot: Whether targets are one-hot rows; the loss follows.
        augmentation: Of the training pictures.

    Returns:
        The curves, one row an epoch (epoch, loss, accuracy, val_loss, val_accuracy), and the
        figures of the epoch whose weights the model ends with.

    Raises:
        LookbookError: If the loss is no longer a finite number.
    """
    trainer = _Trainer(model.input, model.output, name=model.name)
    trainer.batch_size = settings.batch_size
    trainer.compile(
        _optimizer(settings, steps=settings.epochs * -(-len(train) // settings.batch_size)),
        "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,  # two to three times slower on CPUs, and a chunk's size varies
    )
    training = training_chunks(
        train,
        batch_size=settings.batch_size,
        seed=settings.seed,
        augmentation=augmentation,
    )
    held_out = evaluation_batches(validation)
    before = trainer.evaluate(held_out, verbose=0, return_dict=True)
    logger.info("before training: validation accuracy %.4f", before["accuracy"])
    callbacks = [keras.callbacks.TerminateOnNaN()]
    if settings.early_stopping:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                monitor="val_loss", patience=settings.early_stopping, restore_best_weights=True
            )
        )
    history = trainer.fit(
        training,
        validation_data=held_out,
        epochs=settings.epochs,
        callbacks=callbacks,
        shuffle=False,  # `training_chunks` has shuffled
        verbose=1 if sys.stdout.isatty() else 2,
    )
    curves = pd.DataFrame(history.history, columns=CURVES)
    curves.insert(0, "epoch", curves.index + 1)
    if not np.isfinite(curves.to_numpy()).all():
        raise LookbookError(
            f"Expected a finite loss. Received: one that is not, in epoch {len(curves)}, with "
            f"learning_rate={settings.learning_rate}. Lower it; no model was kept."
        )
    return curves, _figures(curves, before["accuracy"], stopped_early=settings.early_stopping > 0)


def save_curves(curves: pd.DataFrame, path: Path) -> None:
    """Write the curves as CSV for `dvc plots`."""
    with replacing(path) as partial:
        curves.round(6).to_csv(partial, index=False, lineterminator="\n")


def _optimizer(settings: TrainingParams, *, steps: int) -> keras.optimizers.Optimizer:
    rate = settings.learning_rate
    if settings.schedule == "cosine":  # from the full rate to none at the last step
        rate = keras.optimizers.schedules.CosineDecay(rate, decay_steps=steps)
    return {
        "sgd": lambda: keras.optimizers.SGD(rate, momentum=settings.momentum),
        "rmsprop": lambda: keras.optimizers.RMSprop(rate),
        "adam": lambda: keras.optimizers.Adam(rate),
        "adamw": lambda: keras.optimizers.AdamW(rate),
    }[settings.optimizer]()


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
