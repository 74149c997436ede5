"""The linear classifier by minibatches: the same minimum, whatever the machine."""

from collections import Counter

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, SGDClassifier

from lookbook.shallow import descent
from lookbook.shallow.descent import Streamed
from lookbook.shallow.inputs import split_inputs
from lookbook.splits.spec import SPLITS, Scaling, Spec
from lookbook.splits.split import Split
from lookbook.splits.writing import SplitWriter

COUNTS = {"train": 500, "validation": 70, "test": 0}
SHAPE = (6, 5, 3)


@pytest.fixture(params=[2, 3], ids=["two classes", "three classes"])
def splits(tmp_path, request):
    """Noisy pictures, sorted by class, with a bright row for each class; some shards of them."""
    rng = np.random.default_rng(0)
    scaling = Scaling("symmetric", [1 / 127.5] * 3, [-1.0] * 3)
    spec = Spec(["a", "b", "c"][: request.param], SHAPE, scaling, False, COUNTS, {})
    for name in SPLITS:
        writer = SplitWriter(tmp_path / name, SHAPE)
        writer._most = 90
        labels = np.sort(np.arange(COUNTS[name]) % request.param)
        pixels = rng.integers(0, 200, (len(labels), *SHAPE), dtype=np.uint8)
        pixels[np.arange(len(labels)), labels] += 40
        rows = [(f"{row:016x}", f"{row}.png", int(labels[row])) for row in range(len(labels))]
        writer.append(list(pixels), rows)
        writer.finish()
    return [Split(name, tmp_path, spec) for name in ("train", "validation")]


def unfitted(**settings):
    return SGDClassifier(**{"loss": "log_loss", "alpha": 0.1, "random_state": 1} | settings)


def fit(pictures, **settings):
    inside = np.ones((len(pictures.labels), 1), bool)
    return pictures.fit(unfitted(**settings), inside)[0]


def test_it_ends_at_the_minimum(splits):
    x, pictures = split_inputs(splits, 1), Streamed(splits, 1)
    found = fit(pictures)
    for row, label in enumerate(range(len(found.classes_))[-len(found.coef_) :]):
        least = LogisticRegression(C=1 / (0.1 * len(x)), tol=1e-8, max_iter=1000)
        least.fit(x, pictures.labels == label)
        np.testing.assert_allclose(found.coef_[row], least.coef_[0], atol=0.01)
        np.testing.assert_allclose(found.intercept_[row], least.intercept_[0], atol=0.03)


@pytest.mark.parametrize("loss", ["log_loss", "modified_huber"])
@pytest.mark.parametrize("penalty", ["l2", "l1", "elasticnet"])
def test_its_objective_is_as_low_as_scikit_learns(splits, loss, penalty):
    x, pictures = split_inputs(splits, 1), Streamed(splits, 1)
    settings = {"loss": loss, "penalty": penalty, "alpha": 0.01}
    other = unfitted(**settings, max_iter=200, tol=None, average=True).fit(x, pictures.labels)
    classes = np.unique(pictures.labels)
    shown = classes[-len(other.coef_) :]
    signs = np.where(pictures.labels[:, np.newaxis] == shown, 1, -1)
    share = {"l2": 0, "l1": 1, "elasticnet": 0.15}[penalty]

    def objective(model):
        margins = signs * (x @ model.coef_.T + model.intercept_)
        far = np.where(margins < -1, -4 * margins, np.maximum(1 - margins, 0) ** 2)
        losses = np.logaddexp(0, -margins) if loss == "log_loss" else far
        of_weights = share * np.abs(model.coef_) + (1 - share) / 2 * model.coef_**2
        return losses.mean(axis=0).sum() + 0.01 * of_weights.sum()

    assert objective(fit(pictures, **settings)) < objective(other) * 1.01


@pytest.mark.parametrize("penalty", ["l2", "l1", "elasticnet"])
def test_a_strong_penalty_leaves_nothing_but_the_shares_of_the_classes(splits, penalty):
    found = fit(Streamed(splits, 1), alpha=1000.0, penalty=penalty)
    assert np.abs(found.coef_).max() < 1e-3
    assert (found.coef_ == 0).all() == (penalty != "l2")
    said = found.predict_proba(split_inputs(splits[:1], 1)[:1])[0]
    np.testing.assert_allclose(said, 1 / len(said), atol=0.05)


def test_bytes_depend_on_the_seed_and_not_on_the_cores(splits, monkeypatch):
    def bytes_of(seed):
        found = fit(Streamed(splits, 1), random_state=seed)
        return found.coef_.tobytes(), found.intercept_.tobytes()

    first = bytes_of(1)
    for cores in (1, 3):
        monkeypatch.setattr("lookbook.foundation.parallel.core_count", lambda cores=cores: cores)
        assert bytes_of(1) == first
    assert bytes_of(2) != first


def test_it_passes_as_often_as_it_is_told_to(splits, monkeypatch):
    pictures, passes = Streamed(splits, 1), []
    batches = pictures.batches

    def counted(rows, rng=None):
        passes.append(rng is not None)
        return batches(rows, rng)

    monkeypatch.setattr(pictures, "batches", counted)
    for asked, done in ((3, 3), (100, descent.PASSES)):
        passes.clear()
        fit(pictures, max_iter=asked)
        assert sum(passes) == done


def test_a_classifier_learns_from_its_pictures_alone(splits):
    pictures = Streamed(splits, 1)
    inside = np.ones((len(pictures.labels), 2), bool)
    inside[: len(inside) // 2 : 2, 0] = False
    alone = pictures.fit(unfitted(), inside)
    pictures.labels[~inside[:, 0]] = 1 - pictures.labels[~inside[:, 0]].clip(max=1)  # others
    again = pictures.fit(unfitted(), inside)
    assert np.array_equal(alone[0].coef_, again[0].coef_)
    assert not np.array_equal(alone[1].coef_, again[1].coef_)


@pytest.mark.parametrize("window", [1, 2**12, 2**25])
def test_a_pass_shows_every_picture_once(splits, monkeypatch, window):
    monkeypatch.setattr(descent, "WINDOW_BYTES", window)
    monkeypatch.setattr(descent, "RUN_BYTES", 500)
    pictures, x = Streamed(splits, 1), split_inputs(splits, 1)
    rows = np.arange(3, 560, 2)
    for rng in (None, np.random.default_rng(0)):
        drawn = []
        for shown, inputs in pictures.batches(rows, rng):
            assert len(shown) <= descent.BATCH
            assert np.array_equal(inputs, x[shown])
            drawn.append(shown)
        assert Counter(np.concatenate(drawn).tolist()) == Counter(rows.tolist())
        in_order = np.array_equal(np.concatenate(drawn), rows)
        assert in_order == (rng is None)


def test_it_answers_as_its_classifiers_do(splits):
    pictures, x = Streamed(splits, 1), split_inputs(splits, 1)
    fitted = pictures.fit(unfitted(), np.arange(570)[:, np.newaxis] % [2, 3] > 0)
    said = pictures.answers(fitted)
    assert said.shape == (570, 2)
    for column, classifier in enumerate(fitted):
        assert (said[:, column] == classifier.predict(x)).mean() > 0.99  # but for rounding
    assert (said[:, 0] == pictures.labels).mean() > 0.9
