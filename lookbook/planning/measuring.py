"""Accuracies on growing shares of the training pictures, of a probe or of a network."""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import keras
import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from lookbook.foundation.parallel import in_parallel
from lookbook.foundation.params import Params
from lookbook.foundation.stopwatch import noted
from lookbook.networks.architectures import build_cnn
from lookbook.planning.shares import Share, Subset, check_enough, drawn, shares_of
from lookbook.splits.split import Split
from lookbook.training.augmentation import Augmentation
from lookbook.training.checkpoints import discard
from lookbook.training.devices import check_memory, prepared
from lookbook.training.fitting import fit
from lookbook.training.network import settled
from lookbook.transfer.probe import features_of, fitted, frozen

PICTURES = 30_000  # for the probes of a share to learn from, all draws together: seconds
EFFORTS = 2.0, 12.0  # at least and at most, in passes over all pictures
EFFORT_OF_CNN = 0.5  # at least two trainings a share all the same; 17 in all

logger = logging.getLogger(__name__)


class Measured(NamedTuple):
    """What came of growing shares.

    Attributes:
        photos: int of shape (shares,), rising: training pictures.
        accuracies: Of each share, float64 of shape (draws,), on the validation pictures.
    """

    photos: np.ndarray
    accuracies: list[np.ndarray]


def measure_probe(params: Params, train: Split, validation: Split) -> Measured:
    """Measure the probe that stands for train_transfer's head.

    Args:
        params: All of params.yaml; of train_transfer the base and the seed count.
        train: Training pictures.
        validation: Validation pictures.

    Raises:
        LookbookError: If there are too few pictures of a class.
    """
    check_enough(train.labels, train.spec.class_names)  # before minutes of features
    extractor = frozen(params.train_transfer, train.spec)
    return on_features(
        (features_of(extractor, train), train.labels),
        (features_of(extractor, validation), validation.labels),
        train.spec.class_names,
        params.train_transfer.seed,
    )


def on_features(
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    class_names: list[str],
    seed: int,
) -> Measured:
    """Measure the probe on features, float32 of shape (n, features), and labels of shape (n,)."""
    (features, labels), (others, truth) = train, validation
    effort = float(np.clip(PICTURES / len(labels), *EFFORTS))
    shares = shares_of(labels, class_names, effort=effort)

    def accuracy(rows: np.ndarray) -> float:
        return float((fitted(features[rows], labels[rows]).predict(others) == truth).mean())

    with threadpool_limits(1):  # one probe a core is faster than all cores on one
        return _measured(labels, shares, seed, partial(in_parallel, accuracy))


def measure_cnn(params: Params, train: Split, validation: Split) -> Measured:
    """Train the network of train_cnn, as its section of params.yaml says, on each share.

    Args:
        params: All of params.yaml.
        train: Training pictures.
        validation: Validation pictures.

    Raises:
        LookbookError: If there are too few pictures of a class, or memory is too small.
    """
    spec = train.spec
    settings = settled(params.train_cnn, spec)
    shares = shares_of(train.labels, spec.class_names, effort=EFFORT_OF_CNN, steps=1)
    count, once = sum(share.draws for share in shares), noted().get("train_cnn")
    most = f": {count * once / 60:.0f} minutes at most, if as the last one here" if once else ""
    logger.info("%d trainings, each as long as one of train_cnn or less%s", count, most)
    name = "learning_curve"

    def accuracy(rows: np.ndarray) -> float:
        with prepared(params.hardware, settings.seed):
            model: keras.Model = build_cnn(spec, settings)
            check_memory(model, settings.batch_size, "train_cnn.batch_size")
            augmentation = Augmentation.of(settings.augmentation, spec)
            _, figures = fit(
                model, Subset(train, rows), validation, settings, name=name,
                augmentation=augmentation,
            )  # fmt: skip
        discard(name)
        return figures["validation_accuracy"]

    return _measured(train.labels, shares, settings.seed, partial(map, accuracy))


def _measured(
    labels: np.ndarray,
    shares: list[Share],
    seed: int,
    accuracies: Callable[[Iterable[np.ndarray]], Iterable[float]],
) -> Measured:
    """Draw the shares, and take what `accuracies` gives for the rows of each draw, in order."""
    draws = [list(drawn(labels, share, seed)) for share in shares]
    rows = [rows for share in draws for rows in share]
    found = []
    with tqdm(total=sum(map(len, rows)), desc="learning curve", disable=None, leave=False) as bar:
        for chosen, accuracy in zip(rows, accuracies(rows), strict=True):
            found.append(accuracy)
            bar.update(len(chosen))
    ends = np.cumsum([len(share) for share in draws])[:-1]
    return Measured(np.array([len(share[0]) for share in draws]), np.split(np.array(found), ends))
