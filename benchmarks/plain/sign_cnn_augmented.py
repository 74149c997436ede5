"""The source's convolutional network on hand signs, with its augmentation."""

import keras
from keras import layers
from tensorflow.keras.preprocessing.image import ImageDataGenerator

from data import load

EPOCHS = 6  # of the source's 20; enough for the time of an epoch and for the figure

(x_train, y_train), (x_validation, y_validation) = load("train"), load("validation")
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(512, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(24, activation="softmax"),
    ]
)
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
generator = ImageDataGenerator(
    rotation_range=10, zoom_range=0.1, width_shift_range=0.1, height_shift_range=0.1
)
model.fit(
    generator.flow(x_train / 255, keras.utils.to_categorical(y_train), batch_size=256),
    epochs=EPOCHS,
    validation_data=(x_validation / 255, keras.utils.to_categorical(y_validation)),
    verbose=2,
)
