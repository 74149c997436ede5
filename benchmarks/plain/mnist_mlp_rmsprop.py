"""The source's dense network on MNIST, with RMSprop and one-hot targets."""

import keras
from keras import layers

from data import load

(x_train, y_train), (x_validation, y_validation) = load("train"), load("validation")
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Flatten(),
        layers.Dense(512, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
model.fit(
    x_train / 255,
    keras.utils.to_categorical(y_train),
    batch_size=128,
    epochs=5,
    validation_data=(x_validation / 255, keras.utils.to_categorical(y_validation)),
    verbose=2,
)
