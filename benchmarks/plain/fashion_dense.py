"""The source's softmax regression on Fashion-MNIST."""

import keras
from keras import layers

from data import load

(x_train, y_train), (x_validation, y_validation) = load("train"), load("validation")
model = keras.Sequential(
    [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10, activation="softmax")]
)
model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(
    x_train / 255,
    y_train,
    batch_size=32,
    epochs=5,
    validation_data=(x_validation / 255, y_validation),
    verbose=2,
)
