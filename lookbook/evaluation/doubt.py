"""When a model should not answer: what is found on validation data, for use on pictures to come.

Three numbers and a small model of what the training pictures look like to the network:

- a temperature, which makes probabilities as sure as they are right;
- the least calibrated probability from which on a class is in question (split conformal sets);
- how strange a picture may be. Strangeness is a squared Mahalanobis distance of the features to the
  nearest class (Lee et al., arXiv 1807.03888), under the covariance of probabilistic PCA (Tipping
  and Bishop, JRSS B 61, 1999): the classes' shared covariance in the leading components, one
  variance in all others. The rest must count: strangers differ most where training pictures hardly
  differ at all. And it takes 300 KB where a full covariance of 1,152 features takes 5 MB.
"""

import logging
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA

from lookbook.evaluation.calibration import fit_temperature, with_temperature
from lookbook.evaluation.predictions import Predictions
from lookbook.foundation.damage import DAMAGED_ARRAYS
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import replacing
from lookbook.inference.answers import STRANGER, UNSURE, answers, in_question

DOUBT = Path("models/doubt")
DOUBT_FLOATS = 37_500  # in all, at most: 300 KB of an exported file, which has the axes twice
PICTURES_A_COMPONENT = 5  # at least, so that their covariance is known
FEWEST_VARIANCE = 1e-3  # of a component, as a share of the mean: nothing is infinitely strange
DIRECT_FEATURES = 2000  # up to which PCA goes by the covariance; its time grows with the cube
# A threshold is what some validation picture has. A copy of it elsewhere must not change sides by
# rounding, so it is moved by a little more than another runtime's rounding.
MARGIN, STRANGE_MARGIN = 2e-6, 1e-3  # of a probability; share of a strangeness
FREE = ("axes", "centres", "precisions")  # may be turned together, and no distance changes
FIT_PICTURES = 10_000  # of the training pictures, at most
RARE = 50  # pictures of each class that are among them, if it has so many
FIT_FLOATS = 20_000_000  # features of all pictures together, at most: 160 MB

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Strangeness:
    """How far features are from those of the training pictures.

    Attributes:
        mean: float32 (features,), of all training pictures.
        axes: float32 (features, components), orthonormal; the classes' shared covariance is
            diagonal in them.
        centres: float32 (classes, components): the classes' means in these axes.
        precisions: float32 (components,): one over the variance in each.
        rest: One over the variance in each other direction; 0 if there is none.
    """

    mean: np.ndarray
    axes: np.ndarray
    centres: np.ndarray
    precisions: np.ndarray
    rest: float

    @classmethod
    def fit(cls, features: np.ndarray, labels: np.ndarray) -> "Strangeness":
        """Fit it to features of training pictures.

        Args:
            features: float of shape (n, features).
            labels: int of shape (n,); classes without a picture have no centre.
        """
        step = -(-features.size // FIT_FLOATS)
        features, labels = features[::step].astype(np.float64), labels[::step]
        count, width = features.shape
        classes, labels = np.unique(labels, return_inverse=True)
        room = (DOUBT_FLOATS - width) // (width + len(classes) + 1)
        components = max(1, min(width, room, count // PICTURES_A_COMPONENT))
        solver = "covariance_eigh" if width <= DIRECT_FEATURES else "randomized"
        pca = PCA(components, svd_solver=solver, random_state=0).fit(features)
        seen = pca.transform(features)
        centres = np.stack([seen[labels == label].mean(axis=0) for label in range(len(classes))])
        within = seen - centres[labels]
        variances, rotation = np.linalg.eigh(within.T @ within / count)
        variances = np.maximum(variances, 0) + FEWEST_VARIANCE * max(variances.mean(), 1e-12)
        others = np.square(features - pca.mean_).sum(axis=1) - np.square(seen).sum(axis=1)
        variance = float(others.mean()) / max(1, width - components)
        return cls(
            mean=pca.mean_.astype(np.float32),
            axes=(pca.components_.T @ rotation).astype(np.float32),
            centres=(centres @ rotation).astype(np.float32),
            precisions=(1 / variances).astype(np.float32),
            rest=1 / max(variance, FEWEST_VARIANCE * variances.mean())
            if width > components
            else 0.0,
        )

    def of(self, features: np.ndarray) -> np.ndarray:
        """Return float32 (n,) for features (n, features)."""
        away = features.astype(np.float32) - self.mean
        seen = away @ self.axes
        near = np.min(
            [np.square(seen - centre) @ self.precisions for centre in self.centres], axis=0
        )
        others = np.square(away - seen @ self.axes.T).sum(axis=1)
        return near + np.float32(self.rest) * others


@dataclass(frozen=True, eq=False)
class Doubt:
    """What turns probabilities and features into an answer.

    Attributes:
        temperature: See `lookbook.evaluation.calibration`.
        coverage: The share of pictures whose true class is promised to be in question.
        least_probability: See `lookbook.inference.answers`.
        kept: The share of validation pictures that are not called strangers.
        most_strangeness: Above it a picture is a stranger.
        strangeness: How strange features are.
    """

    temperature: float
    coverage: float
    least_probability: float
    kept: float
    most_strangeness: float
    strangeness: Strangeness

    @classmethod
    def fit(
        cls,
        strangeness: Strangeness,
        validation: Predictions,
        *,
        coverage: float,
        kept: float,
    ) -> "Doubt":
        """Choose temperature and thresholds.

        Args:
            strangeness: Fitted to training pictures.
            validation: What the model says of validation pictures.
            coverage: See `Doubt`.
            kept: See `Doubt`.
        """
        strange = validation.strangeness
        temperature = fit_temperature(validation.labels, validation.probabilities)
        calibrated = with_temperature(validation.probabilities, temperature)
        missed = 1 - calibrated[np.arange(len(validation)), validation.labels]
        threshold = conformal_quantile(missed, coverage)
        if not np.isfinite(threshold):
            logger.warning(
                "%d validation pictures are too few to promise a coverage of %s: every class is in "
                "question, and every answer unsure",
                len(validation),
                coverage,
            )
        return cls(
            temperature=temperature,
            coverage=coverage,
            least_probability=max(0.0, 1 - threshold - MARGIN),
            kept=kept,
            # Beyond all that are known where they are too few to say so.
            most_strangeness=min(conformal_quantile(strange, kept), float(strange.max()))
            * (1 + STRANGE_MARGIN),
            strangeness=strangeness,
        )

    def answers(self, said: Predictions) -> np.ndarray:
        """Return the answers, int (n,); see `lookbook.inference.answers.answers`."""
        return answers(
            with_temperature(said.probabilities, self.temperature),
            said.strangeness,
            least_probability=self.least_probability,
            most_strangeness=self.most_strangeness,
        )

    def figures(self, test: Predictions) -> dict:
        """Return what it is worth on test pictures.

        Returns:
            The thresholds; `covered`: the share of pictures whose true class is in question, which
            is what was promised; `answered`: the share that gets one class; `answered_right`: the
            share of those that is right (None if there is none); `unsure` and `strangers`: the
            shares of the others.
        """
        labels = test.labels
        calibrated = with_temperature(test.probabilities, self.temperature)
        sets = in_question(calibrated, self.least_probability)
        said = self.answers(test)
        one = said >= 0
        return {
            "coverage": self.coverage,
            "covered": float(sets[np.arange(len(labels)), labels].mean()),
            "least_probability": self.least_probability,
            "kept": self.kept,
            "most_strangeness": self.most_strangeness,
            "answered": float(one.mean()),
            "answered_right": float((said == labels)[one].mean()) if one.any() else None,
            "unsure": float((said == UNSURE).mean()),
            "strangers": float((said == STRANGER).mean()),
        }

    def save(self, path: Path) -> None:
        """Save it as .npz, the same bytes for the same content."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "strangeness"}
        of_features = {f.name: getattr(self.strangeness, f.name) for f in fields(Strangeness)}
        with replacing(path) as partial:
            np.savez(partial, allow_pickle=False, **own, **of_features)

    @classmethod
    def load(cls, path: Path) -> "Doubt":
        """Load what `save` wrote.

        Raises:
            One of DAMAGED_ARRAYS: If it is missing, damaged, or another file.
        """
        with np.load(path, allow_pickle=False) as arrays:
            whole = {f.name: arrays[f.name] for f in fields(Strangeness)}
            whole["rest"] = float(whole["rest"])
            own = {f.name: float(arrays[f.name]) for f in fields(cls) if f.name != "strangeness"}
        return cls(**own, strangeness=Strangeness(**whole))


def doubt_file(model: str) -> Path:
    """Return where a model's doubt is kept."""
    return DOUBT / f"{model}.npz"


def load_doubt(model: str) -> Doubt:
    """Load what evaluate found out about a model.

    Raises:
        LookbookError: If it is missing or damaged.
    """
    path = doubt_file(model)
    try:
        return Doubt.load(path)
    except DAMAGED_ARRAYS as error:
        raise LookbookError(
            f"Expected what evaluate found out about {model} in {path}. Received: {error}. Run "
            "`dvc repro evaluate`, or `dvc checkout` to bring it back."
        ) from None


def conformal_quantile(scores: np.ndarray, share: float) -> float:
    """Return the score that at least `share` of new pictures do not exceed, infinite if too few.

    The k-th smallest of n, where k is the share of n + 1, rounded up (Vovk et al., see
    `lookbook.inference.answers`).
    """
    place = int(np.ceil((len(scores) + 1) * share))
    return float(np.sort(scores)[place - 1]) if place <= len(scores) else float("inf")
