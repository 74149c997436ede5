import keras
import numpy as np
import pytest

from lookbook.errors import LookbookError
from lookbook.networks import build_ann
from lookbook.params import load_params
from lookbook.saving import load_keras, save_keras
from lookbook.splits import Scaling, Spec
from lookbook.training import fit, make_deterministic, save_curves

SPEC = Spec(["a", "b"], (4, 4, 1), Scaling("unit", [1 / 255], [0.0]), False, {}, {})


class Blobs:
    """Dark and bright pictures, which a network learns in a few steps."""

    def __init__(self, count, *, one_hot=False):
        rng = np.random.default_rng(count)
        self.labels = rng.integers(0, 2, count).astype(np.int32)
        noise = rng.integers(0, 120, (count, 4, 4, 1))
        self.pixels = (noise + 100 * self.labels[:, None, None, None]).astype(np.uint8)
        self.one_hot = one_hot

    def __len__(self):
        return len(self.labels)

    def images(self, indices):
        return self.pixels[indices]

    def targets(self, indices):
        labels = self.labels[indices]
        return np.eye(2, dtype=np.float32)[labels] if self.one_hot else labels


@pytest.fixture
def settings(project):
    return load_params().train_ann.model_copy(update={"batch_size": 16, "epochs": 4})


def train(settings, *, one_hot=False):
    make_deterministic(settings.seed)
    model = build_ann(SPEC, hidden=[8], activation="relu", dropout=0.1)
    curves, figures = fit(
        model, Blobs(200, one_hot=one_hot), Blobs(60, one_hot=one_hot), settings, one_hot=one_hot
    )
    return model, curves, figures


def test_training_twice_gives_the_same_file(settings, tmp_path):
    for name in ("first", "second"):
        save_keras(train(settings)[0], tmp_path / name / "model.keras")
    first = (tmp_path / "first/model.keras").read_bytes()
    assert first == (tmp_path / "second/model.keras").read_bytes()
    other = settings.model_copy(update={"seed": 7})
    save_keras(train(other)[0], tmp_path / "other/model.keras")
    assert first != (tmp_path / "other/model.keras").read_bytes()


def test_a_saved_model_predicts_as_before(settings, tmp_path):
    model, _, _ = train(settings)
    save_keras(model, tmp_path / "model.keras")
    loaded = load_keras(tmp_path / "model.keras", remedy="")
    pixels = Blobs(20).pixels
    np.testing.assert_array_equal(loaded.predict_on_batch(pixels), model.predict_on_batch(pixels))
    assert not loaded.compiled
    assert not list(tmp_path.glob(".partial-*"))


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adamw"])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_every_optimizer_learns(settings, optimizer, schedule):
    changes = {"optimizer": optimizer, "schedule": schedule, "learning_rate": 0.02, "epochs": 8}
    _, curves, figures = train(settings.model_copy(update=changes))
    assert figures["validation_accuracy"] > max(0.9, figures["validation_accuracy_before"])
    assert curves["loss"].iloc[-1] < curves["loss"].iloc[0]


def test_one_hot_targets_train_alike(settings):
    plain, one_hot = train(settings)[2], train(settings, one_hot=True)[2]
    assert plain["validation_loss"] == pytest.approx(one_hot["validation_loss"], abs=1e-4)


def test_the_figures_are_those_of_the_kept_weights(settings):
    high = settings.model_copy(update={"learning_rate": 0.5, "epochs": 12, "early_stopping": 3})
    model, curves, figures = train(high)
    assert figures["best_epoch"] == curves["epoch"][curves["val_loss"].idxmin()]
    assert figures["epochs"] == len(curves)
    assert len(curves) == min(12, figures["best_epoch"] + 3)
    validation = Blobs(60)
    probabilities = model.predict_on_batch(validation.pixels)
    accuracy = (probabilities.argmax(axis=1) == validation.labels).mean()
    assert figures["validation_accuracy"] == pytest.approx(accuracy, abs=1e-6)


def test_without_early_stopping_all_epochs_run(settings):
    changes = {"learning_rate": 0.5, "epochs": 6, "early_stopping": 0}
    _, curves, figures = train(settings.model_copy(update=changes))
    assert len(curves) == figures["epochs"] == figures["best_epoch"] == 6
    assert figures["validation_loss"] == curves["val_loss"].iloc[-1]


def test_accuracy_before_training_is_that_of_the_untrained_model(settings):
    make_deterministic(settings.seed)
    model = build_ann(SPEC, hidden=[8], activation="relu", dropout=0.1)
    validation = Blobs(60)
    predicted = model.predict_on_batch(validation.pixels).argmax(axis=1)
    accuracy = (predicted == validation.labels).mean()
    assert train(settings)[2]["validation_accuracy_before"] == pytest.approx(accuracy, abs=1e-6)


def test_curves_are_a_table_an_epoch(settings, tmp_path):
    _, curves, _ = train(settings)
    save_curves(curves, tmp_path / "curves.csv")
    lines = (tmp_path / "curves.csv").read_text().splitlines()
    assert lines[0] == "epoch,loss,accuracy,val_loss,val_accuracy"
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2", "3", "4"]


def test_the_users_keras_settings_do_not_matter(settings):
    keras.config.set_floatx("float16")
    keras.config.set_image_data_format("channels_first")
    make_deterministic(0)
    assert keras.config.floatx() == "float32"
    assert keras.config.image_data_format() == "channels_last"


def test_a_chunk_is_trained_on_batch_by_batch(settings):
    """The same weights as Keras's own loop over the same batches in the same order."""
    from lookbook.batches import training_chunks

    make_deterministic(settings.seed)
    model = build_ann(SPEC, hidden=[8], activation="relu", dropout=0.0)
    make_deterministic(settings.seed)
    ours = build_ann(SPEC, hidden=[8], activation="relu", dropout=0.0)
    steps = settings.model_copy(update={"epochs": 1, "schedule": "constant", "early_stopping": 0})
    fit(ours, Blobs(200), Blobs(60), steps, one_hot=False)
    model.compile(keras.optimizers.Adam(steps.learning_rate), "sparse_categorical_crossentropy")
    for x, y in training_chunks(Blobs(200), batch_size=16, seed=steps.seed):
        for start in range(0, len(x), 16):
            model.train_on_batch(x[start : start + 16], y[start : start + 16])
    for received, expected in zip(ours.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(received, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("early_stopping", [0, 5])
def test_a_loss_that_is_not_finite_stops_with_a_sentence(settings, early_stopping):
    changes = {"optimizer": "sgd", "learning_rate": 1e38, "early_stopping": early_stopping}
    with pytest.raises(LookbookError, match="Expected a finite loss.* with learning_rate=1e.38"):
        train(settings.model_copy(update=changes))
