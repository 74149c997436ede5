"""The training step, on a chunk of batches at a time."""

import time
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from lookbook.foundation.errors import LookbookError


class Trainer(keras.Model):
    """A model with another model's layers, whose training step takes a chunk of batches.

    Keras's own way to take several steps in one call, `steps_per_execution`, wraps each batch in
    optional values; at 32 small pictures a batch that costs as much as the step itself.

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
            batch_size: Examples a step. None: what comes is one batch, as with several devices.
            label_smoothing: Share of the target that is spread over all classes.
            class_weights: float32 of shape (classes,), or None.
        """
        super().__init__(model.input, model.output, name=model.name)
        self.batch_size = batch_size
        self.label_smoothing = label_smoothing
        self.class_weights = class_weights
        self.waited = 0.0

    def train_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict:
        """Take a step for each batch of a chunk; return the epoch's figures so far.

        A loss that is not finite ends the chunk; `optimizer.iterations` then tells the step.
        """
        if self.batch_size is None:
            return super().train_step(data)
        x, y = data
        weights = self.trainable_weights

        def step(
            start: tf.Tensor, _finite: tf.Tensor, total: tf.Tensor, predictions: tf.TensorArray
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.TensorArray]:
            batch = slice(start, start + self.batch_size)
            with tf.GradientTape() as tape:
                y_pred = self(x[batch], training=True)
                loss = self.compute_loss(x[batch], y[batch], y_pred)
                scaled = self.optimizer.scale_loss(loss)
            self.optimizer.apply_gradients(
                zip(tape.gradient(scaled, weights), weights, strict=True)
            )
            total += loss * tf.cast(tf.shape(y_pred)[0], loss.dtype)
            predictions = predictions.write(start // self.batch_size, y_pred)
            return start + self.batch_size, tf.math.is_finite(loss), total, predictions

        def more(
            start: tf.Tensor, finite: tf.Tensor, _total: tf.Tensor, _predictions: tf.TensorArray
        ) -> tf.Tensor:
            return tf.logical_and(start < tf.shape(x)[0], finite)

        none_yet = tf.TensorArray(tf.float32, 0, dynamic_size=True, infer_shape=False)
        _, _, total, predictions = tf.while_loop(more, step, [0, True, 0.0, none_yet])
        # The figures of all batches at once: at small batches they would cost as much as the steps.
        y_pred = tf.ensure_shape(predictions.concat(), [None, self.output_shape[-1]])
        done = tf.shape(y_pred)[0]
        self.metrics[0].update_state(total / tf.cast(done, total.dtype), sample_weight=done)
        return self.compute_metrics(x[:done], y[:done], y_pred)

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
                sample_weight = tf.linalg.matvec(y, self.class_weights)
            y = y * (1 - self.label_smoothing) + self.label_smoothing / classes
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def make_train_function(self, force: bool = False) -> Callable[[Iterator], dict]:
        """Return Keras's training function, or with one device one that times the wait for data."""
        if self.batch_size is None:
            return super().make_train_function(force)
        step = None

        def train_function(iterator: tf.data.Iterator) -> dict:
            nonlocal step
            step = step or tf.function(self.train_step, input_signature=[iterator.element_spec])
            start = time.perf_counter()
            chunk = next(iterator)
            self.waited += time.perf_counter() - start
            return step(chunk)

        self.train_function = train_function
        return train_function


class StopAtNaN(keras.callbacks.Callback):
    """Ends training as soon as the loss is not a finite number."""

    def on_train_batch_end(self, batch: int, logs: dict) -> None:
        """Look at the mean loss of the epoch so far, which stays NaN once it is.

        Raises:
            LookbookError: Names the step.
        """
        if not np.isfinite(logs["loss"]):
            optimizer = self.model.optimizer
            step, rate = int(optimizer.iterations), float(optimizer.learning_rate)
            raise LookbookError(
                f"Expected a finite loss. Received: {logs['loss']} at step {step:,}, with a "
                f"learning rate of {rate:.3g} there. Lower learning_rate, or set clip_norm; no "
                "model was kept."
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
