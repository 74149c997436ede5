import io
import zipfile

import numpy as np
import pytest
from scipy.special import softmax

from lookbook.evaluation import doubt as doubts
from lookbook.evaluation.doubt import (
    DOUBT_FLOATS,
    FEWEST_VARIANCE,
    Doubt,
    Strangeness,
    conformal_quantile,
)
from lookbook.evaluation.predictions import Predictions
from lookbook.foundation.errors import LookbookError
from lookbook.inference.answers import STRANGER, UNSURE


def said(count, *, seed=0, classes=4, strange=1.0):
    """What a model says of as many pictures, right more often than not."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    logits = rng.normal(size=(count, classes)) + 2 * np.eye(classes)[labels]
    strangeness = rng.chisquare(3, count) * strange
    ids = np.array([str(place) for place in range(count)])
    names = list("abcdefgh"[:classes])
    probabilities = softmax(logits, axis=1).astype(np.float32)
    return Predictions(ids, labels, probabilities, names, strangeness.astype(np.float32))


@pytest.fixture
def fitted():
    rng = np.random.default_rng(1)
    return Strangeness.fit(rng.normal(size=(200, 6)), rng.integers(0, 2, 200))


def test_the_quantile_by_hand():
    scores = np.arange(9.0)[::-1]
    assert conformal_quantile(scores, 0.9) == 8  # the 9th of 10 places
    assert conformal_quantile(scores, 0.45) == 4  # 4.5, rounded up: the 5th smallest
    assert conformal_quantile(scores, 0.95) == np.inf


@pytest.mark.parametrize("coverage", [0.8, 0.95])
def test_the_promise_holds_on_the_mean_of_many_draws(fitted, coverage):
    covered = []
    for seed in range(30):
        doubt = Doubt.fit(fitted, said(300, seed=2 * seed), coverage=coverage, kept=0.99)
        figures = doubt.figures(said(300, seed=2 * seed + 1))
        covered.append(figures["covered"])
        shares = figures["answered"] + figures["unsure"] + figures["strangers"]
        assert shares == pytest.approx(1)
    assert np.mean(covered) == pytest.approx(coverage, abs=0.012)


def test_pictures_that_are_too_strange_are_strangers_whatever_is_said(fitted):
    doubt = Doubt.fit(fitted, said(300), coverage=0.9, kept=0.99)
    usual, far = said(300, seed=3), said(300, seed=3, strange=1000)
    assert np.mean(doubt.answers(usual) == STRANGER) < 0.05
    assert np.mean(doubt.answers(far) == STRANGER) > 0.95
    assert set(doubt.answers(usual).tolist()) <= {STRANGER, UNSURE, 0, 1, 2, 3}


def test_too_few_validation_pictures_promise_nothing_and_that_is_said(fitted, caplog):
    doubt = Doubt.fit(fitted, said(12), coverage=0.95, kept=0.99)
    assert "12 validation pictures are too few to promise a coverage of 0.95" in caplog.text
    assert doubt.least_probability == 0
    assert set(doubt.answers(said(50, seed=5)).tolist()) <= {UNSURE, STRANGER}
    assert np.isfinite(doubt.most_strangeness)


def test_with_all_components_it_is_the_distance_of_mahalanobis():
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1, 2], 100)
    features = rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5)) + 3 * np.eye(5)[labels]
    fitted = Strangeness.fit(features, labels)
    assert fitted.axes.shape == (5, 5)
    assert fitted.rest == 0
    means = np.stack([features[labels == label].mean(axis=0) for label in range(3)])
    within = features - means[labels]
    covariance = within.T @ within / 300
    least = FEWEST_VARIANCE * np.trace(covariance) / 5
    inverse = np.linalg.inv(covariance + least * np.eye(5))
    away = features[:, np.newaxis] - means
    expected = np.einsum("ncf,fg,ncg->nc", away, inverse, away).min(axis=1)
    np.testing.assert_allclose(fitted.of(features), expected, rtol=1e-3)


def test_what_the_components_leave_out_counts():
    rng = np.random.default_rng(3)
    features = np.zeros((100, 400))
    features[:, :10] = rng.normal(size=(100, 10))
    fitted = Strangeness.fit(features, np.repeat([0, 1], 50))
    assert fitted.axes.shape[1] <= 20  # five pictures a component
    usual, other = features.copy(), features.copy()
    other[:, 300] = 5
    assert fitted.of(other).min() > fitted.of(usual).max()


def test_wide_features_stay_within_their_bytes(tmp_path):
    features = np.random.default_rng(4).normal(size=(300, 9000)).astype(np.float32)
    fitted = Strangeness.fit(features, np.arange(300) % 3)
    floats = sum(np.size(part) for part in (fitted.mean, fitted.axes, fitted.centres))
    assert floats <= DOUBT_FLOATS


def test_it_is_kept_as_it_is_the_same_bytes(fitted, tmp_path):
    doubt = Doubt.fit(fitted, said(300), coverage=0.9, kept=0.99)
    for name in ("a", "b"):
        doubt.save(tmp_path / f"{name}.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    back, test = Doubt.load(tmp_path / "a.npz"), said(100, seed=9)
    assert back.figures(test) == doubt.figures(test)
    features = np.random.default_rng(5).normal(size=(20, 6))
    np.testing.assert_array_equal(back.strangeness.of(features), fitted.of(features))


def npz(kept, **changes):
    """The file of a doubt with some of its arrays changed."""
    with np.load(io.BytesIO(kept)) as arrays:
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, **(dict(arrays) | changes))
    return file.getvalue()


def of_a_shape(kept, shape):
    """The same with arrays that say to be of another shape."""
    return with_header(kept, b"'shape': (%s), }" % shape)


def with_header(kept, padded):
    """The same with another end of the header of its single numbers."""
    header = b"'shape': (), }"
    assert kept.count(header)
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(kept)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if header in content:
                blanks = b" " * (len(padded) - len(header))
                content = content.replace(header + blanks, padded)
            new.writestr(name, content)
    return file.getvalue()


def of_another_compression(kept):
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(kept)) as old, zipfile.ZipFile(file, "w", 14) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return file.getvalue().replace(b"\x0e\0", b"\x0f\0")


@pytest.mark.parametrize(
    "change",
    [
        lambda kept: npz(kept, rest=np.ones(3)),
        lambda kept: npz(kept, temperature="warm"),
        lambda kept: of_a_shape(kept, b"%d," % 10**15),
        lambda kept: with_header(kept, b"'shape': (), ("),
        lambda kept: with_header(kept, b"}\n  a\n b     "),
        of_another_compression,
        lambda kept: kept[:-40],
        lambda kept: b"",
    ],
    ids=[
        "an array for a number",
        "text",
        "no memory",
        "open",
        "indented",
        "compression",
        "cut off",
        "empty",
    ],
)
def test_a_file_of_somebody_else_has_a_sentence(fitted, tmp_path, monkeypatch, change):
    monkeypatch.setattr(doubts, "DOUBT", tmp_path)
    path = tmp_path / "train_cnn.npz"
    Doubt.fit(fitted, said(300), coverage=0.9, kept=0.99).save(path)
    assert doubts.load_doubt("train_cnn")
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(LookbookError, match=r"Expected what evaluate found out .*Received: \S"):
        doubts.load_doubt("train_cnn")
