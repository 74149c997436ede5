"""The source's dense network on MNIST, with SGD."""

import keras
from keras import layers

from data import load

(x_train, y_train), (x_validation, y_validation) = load("train"), load("validation")
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(
    (x_train / 255 - 0.5) / 0.5,
    y_train,
    batch_size=64,
    epochs=10,
    validation_data=((x_validation / 255 - 0.5) / 0.5, y_validation),
    verbose=2,
)
