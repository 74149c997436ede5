"""A linear probe: logistic regression on what a frozen base makes of photos.

The base is the one that train_transfer has, its last maps averaged, as keras.applications does it
with pooling="avg". Of the strengths of the penalty validation data choose. Prints the accuracy on
validation data, then on the test split.
"""

import warnings

import keras
import numpy as np
from rounds import load
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

STRENGTHS = 10.0 ** np.arange(-4, 2)  # C


def main() -> None:
    """Compute the features, fit with each strength, keep the best."""
    base = keras.models.load_model("data/bases/photos.keras")
    inputs = keras.Input((160, 160, 3))
    features = keras.layers.GlobalAveragePooling2D()(base(inputs, training=False))
    extractor = keras.Model(inputs, features)
    splits = {}
    for name in ("train", "validation", "test"):
        pixels, labels = load(name)
        splits[name] = extractor.predict(pixels, batch_size=64, verbose=0), labels
    probes = []
    for strength in STRENGTHS:
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of one that has not converged, and so is not kept
            probe.fit(*splits["train"])
        probes.append((probe.score(*splits["validation"]), probe))
    reached, best = max(probes, key=lambda pair: pair[0])
    print(reached)
    print(best.score(*splits["test"]))


if __name__ == "__main__":
    main()
