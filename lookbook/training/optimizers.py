"""Keras's optimizers: Muon for convolutions too, the others with an operation for each update.

Keras writes an update as several operations, each of which goes through the whole variable; on a
dense layer of 13 million weights that takes two to three times as long. The formulas are Keras's.
The operations know one device; with several, Keras's own optimizers are used.
"""

import keras
import tensorflow as tf

from lookbook.networks.architectures import OUTPUT
from lookbook.networks.products import product_by_rows, squares


class FusedSGD(keras.optimizers.SGD):
    """Stochastic gradient descent, with or without momentum (not Nesterov's)."""

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, rate: tf.Tensor) -> None:
        """Move the variable against the gradient."""
        handle = variable.handle
        if not self.momentum:
            tf.raw_ops.ResourceApplyGradientDescent(var=handle, alpha=rate, delta=gradient)
            return
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=handle,
            accum=_of(variable, self, self.momentums),
            lr=rate,
            grad=gradient,
            momentum=self.momentum,
        )


class FusedRMSprop(keras.optimizers.RMSprop):
    """Steps divided by the root of a running mean of squared gradients, without momentum."""

    def build(self, variables: list[keras.Variable]) -> None:
        """Create the running means, and the momentums that the operation wants."""
        super().build(variables)
        self.unused_momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, rate: tf.Tensor) -> None:
        """Move the variable against the gradient."""
        tf.raw_ops.ResourceApplyRMSProp(
            var=variable.handle,
            ms=_of(variable, self, self._velocities),
            mom=_of(variable, self, self.unused_momentums),
            lr=rate,
            rho=self.rho,
            momentum=0.0,
            epsilon=self.epsilon,
            grad=gradient,
        )


class FusedAdam(keras.optimizers.Adam):
    """Adam, without AMSGrad."""

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, rate: tf.Tensor) -> None:
        """Move the variable against the gradient's running mean."""
        step = tf.cast(self.iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=_of(variable, self, self._momentums),
            v=_of(variable, self, self._velocities),
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


class Muon(keras.optimizers.Muon):
    """Momentum made nearly orthogonal, for the matrices of hidden layers; for the rest Adam.

    Keller Jordan et al., kellerjordan.github.io/posts/muon. A convolution is a matrix from what a
    place sees to its channels, as in that work; Keras would leave it to Adam. Updates are as large
    as Adam's (Liu et al., arXiv 2502.16982), and so are learning rate and weight decay.
    """

    def _apply_weight_decay(self, variables: list[keras.Variable]) -> None:
        """Decay as the other optimizers do, all weights alike."""
        super(keras.optimizers.Muon, self)._apply_weight_decay(variables)

    def _should_use_adamw(self, variable: keras.Variable) -> bool:
        """Return whether a variable is no matrix of a hidden layer.

        A convolution of each channel by itself, whose last axis has one entry, is none.
        """
        is_matrix = len(variable.shape) >= 2 and variable.shape[-1] > 1
        return not is_matrix or OUTPUT in variable.path

    def _muon_update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, lr: tf.Tensor, m: keras.Variable
    ) -> None:
        """Move a matrix along its momentum, made orthogonal."""
        self.assign(m, self.momentum * m + gradient)
        ahead = gradient + self.momentum * m if self.nesterov else tf.convert_to_tensor(m)
        matrix = tf.reshape(ahead, (-1, variable.shape[-1]))
        update = self.lr_adjust(lr * self.zeropower_via_newtonschulz5(matrix, self.ns_steps))
        self.assign_sub(variable, tf.reshape(update, variable.shape))

    def zeropower_via_newtonschulz5(self, x: tf.Tensor, steps: int) -> tf.Tensor:
        """Return a matrix with x's singular vectors and singular values near 1.

        As Keras does, but that a step multiplies the products of the shorter side with itself only;
        x, which is ten times as long in a convolution, comes in at the beginning and the end.
        """
        is_wide = x.shape[0] < x.shape[1]
        tall = tf.transpose(x) if is_wide else x
        tall /= tf.sqrt(tf.reduce_sum(tall * tall)) + keras.config.epsilon()
        square = squares(tall)
        so_far = identity = tf.eye(tall.shape[1])
        for _ in range(steps):
            factor = self.muon_a * identity + self.muon_b * square
            factor += self.muon_c * product_by_rows(square, square)
            so_far = factor if so_far is identity else product_by_rows(so_far, factor)
            square = product_by_rows(product_by_rows(factor, square), factor)
        nearly = product_by_rows(tall, so_far)
        return tf.transpose(nearly) if is_wide else nearly


def _of(
    variable: tf.Variable,
    optimizer: keras.optimizers.Optimizer,
    averages: list[keras.Variable],
) -> tf.Tensor:
    """Return the handle of a variable's running average."""
    return averages[optimizer._get_variable_index(variable)].value.handle


KERAS: dict[str, type[keras.optimizers.Optimizer]] = {
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "muon": Muon,
}
FUSED: dict[str, type[keras.optimizers.Optimizer]] = {
    "sgd": FusedSGD,
    "rmsprop": FusedRMSprop,
    "adam": FusedAdam,
    "muon": Muon,
}
