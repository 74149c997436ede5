"""Keras's optimizers with each variable's update as one operation of TensorFlow.

Keras writes an update as several operations, each of which goes through the whole variable; on a
dense layer of 13 million weights that takes two to three times as long. The formulas are Keras's.
The operations know one device; with several, Keras's own optimizers are used.
"""

import keras
import tensorflow as tf


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
}
FUSED: dict[str, type[keras.optimizers.Optimizer]] = {
    "sgd": FusedSGD,
    "rmsprop": FusedRMSprop,
    "adam": FusedAdam,
}
