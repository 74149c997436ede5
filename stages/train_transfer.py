"""Train a new head on the frozen base of a network trained on other pictures.

In: the training and validation splits, and the base. Out: models/train_transfer.keras (base and
head in one) and the curves of the head.

The base never changes, so each picture goes through it once; the epochs see its features only.

    python -m stages.train_transfer  15 s on digits (0.96 test)
"""

import logging
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from lookbook.bases import load_base
from lookbook.errors import explains_errors
from lookbook.files import write_metrics
from lookbook.networks import build_feature_extractor, build_head, join
from lookbook.params import load_params
from lookbook.saving import save_keras
from lookbook.splits import Split
from lookbook.training import fit, make_deterministic, save_curves

MODEL = Path("models/train_transfer.keras")
CURVES = Path("metrics/curves/train_transfer.csv")
METRICS = Path("metrics/train_transfer.json")

logger = logging.getLogger("train_transfer")


class Features:
    """The features of a split, in place of its pictures.

    Attributes:
        values: float32 of shape (n, features).
    """

    def __init__(self, extractor: keras.Model, split: Split):
        """Compute the features, a block of pictures at a time."""
        self.split = split
        self.values = np.empty((len(split), extractor.output_shape[-1]), np.float32)
        for block in tqdm(split.blocks(), desc=f"{split.name} features", disable=None):
            self.values[block] = extractor.predict_on_batch(split.images(block))
        logger.info("%s features: %s", split.name, self.values.shape)

    def __len__(self) -> int:
        return len(self.split)

    def images(self, indices: np.ndarray) -> np.ndarray:
        """Return the features of these pictures."""
        return self.values[indices]

    def targets(self, indices: np.ndarray) -> np.ndarray:
        """Return the targets of these pictures."""
        return self.split.targets(indices)


@explains_errors
def main() -> None:
    """Compute features, train the head, save both parts as one model."""
    settings = load_params().train_transfer
    make_deterministic(settings.seed)
    train_split, validation_split = Split("train"), Split("validation")
    spec = train_split.spec
    extractor = build_feature_extractor(spec, load_base(settings.base))
    train, validation = Features(extractor, train_split), Features(extractor, validation_split)
    head = build_head(
        spec,
        train.values.shape[1],
        mean=train.values.mean(axis=0),
        variance=train.values.var(axis=0),
        dropout=settings.dropout,
    )
    curves, figures = fit(head, train, validation, settings, one_hot=spec.one_hot)
    model = join(spec, extractor, head)
    save_keras(model, MODEL)
    save_curves(curves, CURVES)
    parameters = {"parameters": model.count_params(), "trained_parameters": _trained(head)}
    write_metrics(METRICS, figures | parameters)


def _trained(head: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in head.trainable_weights)


if __name__ == "__main__":
    main()
