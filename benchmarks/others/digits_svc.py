"""scikit-learn's example for its digits: a support vector classifier with gamma 0.001.

Prints its accuracy on the test split, fitted on the training split; then fitted on training and
validation pictures together, since it needs none to stop by.
"""

import numpy as np
from rounds import load
from sklearn.svm import SVC


def values(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the grey values of 0-16 as scikit-learn has them, a row a picture, and the digits."""
    pixels, labels = load(split)
    return np.rint(pixels.reshape(len(pixels), -1) * (16 / 255)), labels


def main() -> None:
    """Fit twice."""
    train, validation, test = values("train"), values("validation"), values("test")
    print(SVC(gamma=0.001).fit(*train).score(*test))
    both = (np.concatenate(parts) for parts in zip(train, validation, strict=True))
    print(SVC(gamma=0.001).fit(*both).score(*test))


if __name__ == "__main__":
    main()
