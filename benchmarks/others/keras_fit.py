"""The default train_cnn by Keras's `compile` and `fit`; option: bfloat16."""

import time

import keras
from keras import layers
from rounds import Task, serve


def network(task: Task) -> keras.Model:
    """Return the layers that `lookbook.networks.architectures.build_cnn` has, all Keras's own."""
    settings = task.settings
    x = inputs = keras.Input(task.x_train.shape[1:])
    x = layers.Rescaling(1 / 255)(x)
    for block in settings.blocks:
        for place, channels in enumerate(block):
            x = layers.Conv2D(channels, settings.kernel_size, padding="same", use_bias=False)(x)
            if place == len(block) - 1:
                x = layers.MaxPooling2D(2)(x)
            x = layers.BatchNormalization(momentum=0.9)(x)
            x = layers.ReLU()(x)
    x = layers.Dropout(settings.dropout)(layers.Flatten()(x))
    x = layers.Dense(settings.dense_units, use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.Dropout(settings.dropout)(x)
    return keras.Model(inputs, layers.Dense(task.classes, activation="softmax", dtype="float32")(x))


class Timed(keras.callbacks.Callback):
    """The seconds of all steps but the first, with which `fit` sets itself up."""

    def on_train_batch_end(self, batch: int, logs: dict) -> None:
        """Begin after the first."""
        if batch == 0:
            self.begun = time.perf_counter()
        self.seconds = time.perf_counter() - self.begun


class Fit:
    """`compile` and `fit`."""

    def __init__(self, task: Task):
        keras.utils.set_random_seed(task.seed)
        if "bfloat16" in task.options:
            keras.config.set_dtype_policy("mixed_bfloat16")
        self.task, self.model = task, network(task)
        settings, total = task.settings, task.epochs * task.steps
        warmup = round(settings.warmup * total)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, total - warmup, warmup_target=settings.learning_rate, warmup_steps=warmup
        )
        optimizer = keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing)
        self.model.compile(optimizer, loss, metrics=["accuracy"])
        self.targets = keras.utils.to_categorical(task.y_train, task.classes)

    def train(self) -> float:
        """Go through the training pictures once."""
        timed, batch_size = Timed(), self.task.settings.batch_size
        self.model.fit(
            self.task.x_train, self.targets, batch_size=batch_size, verbose=0, callbacks=[timed]
        )
        steps = self.task.steps
        return timed.seconds * steps / (steps - 1)

    def accuracy(self) -> float:
        """Return that on validation data."""
        answers = self.model.predict(self.task.x_validation, batch_size=1000, verbose=0)
        return (answers.argmax(1) == self.task.y_validation).mean()


if __name__ == "__main__":
    serve(Fit(Task()))
