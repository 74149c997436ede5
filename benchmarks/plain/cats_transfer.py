"""The source's transfer model: a frozen base inside the model, run anew in every epoch."""

import os

import keras
from keras import layers

from data import load

EPOCHS = 5

(x_train, y_train), (x_validation, y_validation) = load("train"), load("validation")
base = keras.applications.MobileNet(
    include_top=False,
    alpha=0.5,
    input_shape=(160, 160, 3),
    weights=os.environ["LOOKBOOK_MIRROR"] + "/weights/mobilenet_5_0_224_tf_no_top.h5",
)
base.trainable = False
model = keras.Sequential(
    [base, layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax")]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(
    x_train / 127.5 - 1,
    y_train,
    batch_size=32,
    epochs=EPOCHS,
    validation_data=(x_validation / 127.5 - 1, y_validation),
    verbose=2,
)
