"""The training step, on a chunk of batches at a time."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from lookbook.foundation.errors import LookbookError

AHEAD = 2  # chunks that the host prepares before it looks at what came of one
LOSSES = "losses"  # of the steps, among the figures of a chunk


class Taken(NamedTuple):
    """A chunk that was trained on.

    Attributes:
        before: Steps before it.
        figures: Of the epoch, after it.
        losses: float32 of shape (steps,).
    """

    before: int
    figures: dict[str, tf.Tensor]
    losses: tf.Tensor


class Trainer(keras.Model):
    """A model with another model's layers, whose training step takes a chunk of batches.

    Keras's own way to take several steps in one call, `steps_per_execution`, wraps each batch in
    optional values; at 32 small pictures a batch that costs as much as the step itself.

    Of several devices each takes a share of one batch at a time, as
    `lookbook.training.batches.training_chunks` cuts it. Their losses and gradients add up to those
    of the batch, however it divides.

    The loss is the cross-entropy with class indices or one-hot rows. Label smoothing (Szegedy et
    al., arXiv 1512.00567) and class weights change the loss that is trained on, not the one that
    validation data are measured by.

    Attributes:
        waited: Seconds spent waiting for data so far.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        batch_size: int | None,
        label_smoothing: float,
        class_weights: np.ndarray | None,
    ):
        """Take over a model's layers.

        Args:
            model: From inputs to probabilities.
            batch_size: Examples a step. None: what comes is one batch, trained on as Keras does.
            label_smoothing: Share of the target that is spread over all classes.
            class_weights: float32 of shape (classes,), or None.
        """
        super().__init__(model.input, model.output, name=model.name)
        self.batch_size = batch_size
        self.label_smoothing = label_smoothing
        self.class_weights = class_weights
        self.waited = 0.0
        self._recent: deque[Taken] = deque(maxlen=AHEAD + 1)

    @property
    def devices(self) -> int:
        """How many devices share a batch."""
        return self.distribute_strategy.num_replicas_in_sync

    def build_figures(self, inputs: np.ndarray, targets: np.ndarray) -> None:
        """Create the variables of loss and accuracy.

        Args:
            inputs: Of an example or more.
            targets: Class indices or one-hot rows.
        """
        if self.devices > 1:
            self._symbolic_build(data_batch=(inputs, targets))

    def train_step(self, data: tuple[tf.Tensor, ...]) -> dict:
        """Take a step for each batch of a chunk.

        Returns:
            The epoch's figures so far, and the `losses` of the steps, float32 of shape (steps,).
        """
        if self.batch_size is None:
            return super().train_step(data)
        if self.devices > 1:
            return self._share_step(data)
        x, y = data

        def step(
            start: tf.Tensor, total: tf.Tensor, losses: tf.TensorArray, predictions: tf.TensorArray
        ) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray, tf.TensorArray]:
            batch = slice(start, start + self.batch_size)
            y_pred, loss = self._descend(x[batch], y[batch])
            total += loss * tf.cast(tf.shape(y_pred)[0], loss.dtype)
            number = start // self.batch_size
            losses, predictions = losses.write(number, loss), predictions.write(number, y_pred)
            return start + self.batch_size, total, losses, predictions

        # How many steps there are depends on no loss, which would have to come to the host first.
        none_yet = [tf.TensorArray(tf.float32, 0, dynamic_size=True, infer_shape=False)] * 2
        _, total, losses, predictions = tf.while_loop(
            lambda start, *_: start < tf.shape(x)[0], step, [0, 0.0, *none_yet]
        )
        # The figures of all batches at once: at small batches they would cost as much as the steps.
        y_pred = tf.ensure_shape(predictions.concat(), [None, self.output_shape[-1]])
        count = tf.shape(x)[0]
        self.metrics[0].update_state(total / tf.cast(count, total.dtype), sample_weight=count)
        return self.compute_metrics(x, y, y_pred) | {LOSSES: losses.stack()}

    def _share_step(self, data: tuple[tf.Tensor, ...]) -> dict:
        """Take a step with this device's share of a batch; its loss is a part of the batch's."""
        x, y, real, size = data
        y_pred, loss = self._descend(x, y, _share_weights(real, size, self.devices))
        return self._share_figures(data, y_pred, loss) | {LOSSES: loss[tf.newaxis]}

    def _descend(
        self, x: tf.Tensor, y: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Take a step; return the predictions and the loss before it."""
        weights = self.trainable_weights
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight)
            scaled = self.optimizer.scale_loss(loss)
        self.optimizer.apply_gradients(zip(tape.gradient(scaled, weights), weights, strict=True))
        return y_pred, loss

    def test_step(self, data: tuple[tf.Tensor, ...]) -> dict:
        """Return the figures so far, with this batch or this device's share of it."""
        if self.batch_size is None or self.devices == 1:
            return super().test_step(data)
        x, y, real, size = data
        y_pred = self(x, training=False)
        weights = _share_weights(real, size, self.devices)
        loss = self.compute_loss(x, y, y_pred, weights, training=False)
        return self._share_figures(data, y_pred, loss)

    def _share_figures(
        self, data: tuple[tf.Tensor, ...], y_pred: tf.Tensor, loss: tf.Tensor
    ) -> dict:
        """Return the figures so far, with those examples of a share that no other share has."""
        x, y, real, size = data
        count = tf.reduce_sum(tf.cast(real, loss.dtype))
        mean = tf.math.divide_no_nan(loss * size, count)
        self.metrics[0].update_state(mean, sample_weight=count)
        return self.compute_metrics(*(tf.boolean_mask(part, real) for part in (x, y, y_pred)))

    def compute_loss(
        self,
        x: tf.Tensor | None = None,
        y: tf.Tensor = None,  # Keras always gives both
        y_pred: tf.Tensor = None,
        sample_weight: tf.Tensor | None = None,
        training: bool = True,
    ) -> tf.Tensor:
        """Return the cross-entropy, in training with smoothed targets and class weights."""
        classes = y_pred.shape[-1]
        if len(y.shape) == 1:
            y = tf.one_hot(tf.cast(y, tf.int32), classes)
        if training:
            if self.class_weights is not None:
                balance = tf.linalg.matvec(y, self.class_weights)
                sample_weight = balance if sample_weight is None else balance * sample_weight
            y = y * (1 - self.label_smoothing) + self.label_smoothing / classes
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def make_train_function(self, force: bool = False) -> Callable[[Iterator], dict]:
        """Return a training function that times the wait for data, and waits for no result.

        The figures that it returns are those of `AHEAD` chunks before, by now known to the host.
        """
        if self.batch_size is None:
            return super().make_train_function(force)
        self._recent.clear()
        take, taken = None, 0

        def train_function(iterator: tf.data.Iterator) -> dict:
            nonlocal take, taken
            if take is None:
                take = tf.function(
                    self._step_everywhere,
                    input_signature=[iterator.element_spec],
                    autograph=False,  # which takes seconds, to find nothing to rewrite
                )
                taken = int(self.optimizer.iterations.numpy())
            start = time.perf_counter()
            chunk = next(iterator)
            self.waited += time.perf_counter() - start
            figures = take(chunk)
            losses = figures.pop(LOSSES)
            self._recent.append(Taken(taken, figures, losses))
            taken += losses.shape[0]
            return self._recent[0].figures

        self.train_function = train_function
        return train_function

    def _step_everywhere(self, data: tuple) -> dict:
        """Return what `train_step` does, of one device or of all."""
        if self.devices == 1:
            return self.train_step(data)
        figures = self.distribute_strategy.run(self.train_step, args=(data,))
        how = {name: "SUM" if name == LOSSES else "MEAN" for name in figures}
        reduce = self.distribute_strategy.reduce
        return {name: reduce(how[name], value, axis=None) for name, value in figures.items()}

    def broken_step(self) -> int:
        """Return the first of the last steps whose loss was not finite."""
        for before, _, losses in self._recent:
            (broken,) = np.nonzero(~np.isfinite(losses))
            if len(broken):
                return before + int(broken[0]) + 1
        raise ValueError("every loss was finite")

    def _maybe_symbolic_build(self, iterator: object = None, data_batch: object = None) -> None:
        """Do nothing: Keras would take a batch, to know what `build_figures` is told."""


def _share_weights(real: tf.Tensor, size: tf.Tensor, devices: int) -> tf.Tensor:
    """Return weights with which Keras's losses of all shares add up to the mean of the batch.

    Keras divides a share's loss by its length and the number of devices.
    """
    share = tf.cast(tf.shape(real)[0] * devices, tf.float32)
    return tf.cast(real, tf.float32) * share / size


class StopAtNaN(keras.callbacks.Callback):
    """Ends training as soon as the loss is known to be no finite number."""

    def on_train_batch_end(self, batch: int, logs: dict) -> None:
        """Look at the mean loss of the epoch so far, which stays NaN once it is."""
        self._look(logs["loss"])

    def on_epoch_end(self, epoch: int, logs: dict) -> None:
        """Look at that of the whole epoch."""
        self._look(logs["loss"])

    def _look(self, loss: float) -> None:
        """Raise a LookbookError that names the step, unless the loss is finite."""
        if np.isfinite(loss):
            return
        optimizer, step = self.model.optimizer, self.model.broken_step()
        optimizer.iterations.assign(step)
        raise LookbookError(
            f"Expected a finite loss. Received: {loss} at step {step:,}, with a learning rate of "
            f"{float(optimizer.learning_rate):.3g} there. Lower learning_rate, or set clip_norm; "
            "no model was kept."
        )


class Progress(keras.callbacks.Callback):
    """A line on a terminal that says how far a training is; nothing where there is none."""

    def __init__(self, epochs: int, chunks_an_epoch: int):
        """Show the line.

        Args:
            epochs: To be trained, at most.
            chunks_an_epoch: Training steps that Keras counts.
        """
        super().__init__()
        self._share = 1 / chunks_an_epoch
        self._epochs = epochs
        shape = "{desc}: {percentage:3.0f}% |{bar}| {remaining} left{postfix}"
        self._bar = tqdm(total=epochs, desc="training", bar_format=shape, disable=None, leave=False)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Go to where the epoch begins, which is not 0 where a training goes on."""
        self._bar.update(epoch - self._bar.n)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Go one chunk further."""
        self._bar.update(self._share)

    def on_epoch_end(self, epoch: int, logs: dict) -> None:
        """Say how good the network is by now."""
        self._bar.set_postfix_str(
            f"epoch {epoch + 1} of {self._epochs}, validation accuracy {logs['val_accuracy']:.4f}"
        )

    def close(self) -> None:
        """Take the line away."""
        self._bar.close()
