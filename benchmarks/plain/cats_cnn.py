"""The source's convolutional network on photos of cats and dogs."""

import keras
from keras import layers

from data import load

EPOCHS = 3  # of the source's 10; enough for the time of an epoch

(x_train, y_train), (x_validation, y_validation) = load("train"), load("validation")
model = keras.Sequential(
    [
        keras.Input((160, 160, 3)),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(512, activation="relu"),
        layers.Dense(2, activation="softmax"),
    ]
)
optimizer = keras.optimizers.RMSprop(1e-4)
model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(
    x_train / 127.5 - 1,
    y_train,
    batch_size=32,
    epochs=EPOCHS,
    validation_data=(x_validation / 127.5 - 1, y_validation),
    verbose=2,
)
