"""A linear probe: logistic regression on what a frozen base makes of the pictures.

It stands for the head where many of them are wanted, for each fold or for each share of the data:
one is fitted in a second, and the same pictures always give the same one.
"""

from typing import TYPE_CHECKING

import numpy as np

from lookbook.foundation.parallel import in_parallel
from lookbook.foundation.params import TrainTransferParams
from lookbook.networks.architectures import build_feature_extractor
from lookbook.splits.folds import groups_of, repeated_cross_validation
from lookbook.splits.headline import Headline
from lookbook.splits.spec import Spec
from lookbook.splits.split import Split
from lookbook.transfer.bases import base_for
from lookbook.transfer.features import Extractor, Features

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

STRENGTH = 0.01  # inverse of the penalty on the squared weights of standardised features


def frozen(
    settings: TrainTransferParams, spec: Spec, *, least_size: int | None = None
) -> Extractor:
    """Return the base that the parameters name, from pictures to features.

    Args:
        settings: Name the base.
        spec: Of the pictures.
        least_size: Smaller ones are enlarged to this many pixels; None: as the base likes.
    """
    base = base_for(settings, spec, least_size=least_size)
    return Extractor(build_feature_extractor(spec, base))


def features_of(extractor: Extractor, split: Split) -> np.ndarray:
    """Return float32 (n, features) of all pictures of a split, from the cache if it has them."""
    return Features(extractor, split).images(np.arange(len(split)))


def fitted(features: np.ndarray, labels: np.ndarray, *, balanced: bool = False) -> "Pipeline":
    """Fit a probe.

    Args:
        features: float32 of shape (n, features).
        labels: int of shape (n,).
        balanced: Whether every class counts alike.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    weights = "balanced" if balanced else None
    classifier = LogisticRegression(C=STRENGTH, class_weight=weights, max_iter=300)
    return make_pipeline(StandardScaler(), classifier).fit(features, labels)


def repeatedly_validated(
    extractor: Extractor, train: Split, validation: Split, *, seed: int, balanced: bool = False
) -> dict[str, float | int]:
    """Return what repeated cross-validation of probes over both splits says.

    Args:
        extractor: From pictures to features.
        train: Training pictures.
        validation: Validation pictures.
        seed: Of the draw of the folds.
        balanced: Whether every class counts alike when a probe is fitted.

    Returns:
        As `lookbook.splits.folds.repeated_cross_validation` does.
    """
    features = np.concatenate([features_of(extractor, split) for split in (train, validation)])
    labels = np.concatenate([train.labels, validation.labels])

    def answers(inside: np.ndarray) -> np.ndarray:
        def of_one(column: np.ndarray) -> np.ndarray:
            return fitted(features[column], labels[column], balanced=balanced).predict(features)

        return np.column_stack(list(in_parallel(of_one, inside.T)))

    headline = Headline.of(train, validation)
    groups = groups_of(train, validation)
    return repeated_cross_validation(answers, labels, headline, seed=seed, groups=groups)
