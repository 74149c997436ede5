"""Lookbook: the library behind the seven stages of the pipeline.

Keras reads these settings once, when it is first imported; a value that the user has set wins,
except for the backend, which the saved models and the promise of repeatability rest on.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # hide TensorFlow's start-up notes, keep errors
