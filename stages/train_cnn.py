"""Train a convolutional network on augmented pictures.

In: the training and validation splits. Out: models/train_cnn.keras, its summary as text, and its
curves.

    python -m stages.train_cnn       a minute on digits (0.99 test), ten on Fashion-MNIST (0.93)
"""

from pathlib import Path

from lookbook.foundation.errors import explains_errors
from lookbook.foundation.params import load_params
from lookbook.networks.architectures import build_cnn
from lookbook.training.network import Outputs, train_network

OUTPUTS = Outputs(
    model=Path("models/train_cnn.keras"),
    summary=Path("models/train_cnn.txt"),
    curves=Path("metrics/curves/train_cnn.csv"),
    metrics=Path("metrics/train_cnn.json"),
)


@explains_errors
def main() -> None:
    """Build, train, save."""
    params = load_params()
    settings = params.train_cnn
    train_network(
        "train_cnn",
        build_cnn,
        settings,
        params.hardware,
        OUTPUTS,
        augmentation=settings.augmentation,
        test_time_flip=settings.test_time_flip,
    )


if __name__ == "__main__":
    main()
