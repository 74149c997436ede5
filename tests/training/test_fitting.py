import hashlib
import itertools
import re

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from support import settings_of

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.params import load_params
from lookbook.networks.architectures import build_ann
from lookbook.networks.saving import load_keras, save_keras, save_summary
from lookbook.splits.spec import Scaling, Spec
from lookbook.training import batches, checkpoints, shuffling
from lookbook.training.devices import make_deterministic
from lookbook.training.fitting import (
    balanced_weights,
    build_optimizer,
    compiled,
    epochs_of,
    fit,
    patience_of,
    save_curves,
)
from lookbook.training.steps import AHEAD, Trainer

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

    read = images

    def targets(self, indices):
        labels = self.labels[indices]
        return np.eye(2, dtype=np.float32)[labels] if self.one_hot else labels

    def fingerprint(self):
        return hashlib.sha256(self.pixels.tobytes()).hexdigest()


@pytest.fixture
def settings(project):
    plain = {"batch_size": 16, "epochs": 4, "learning_rate": 1e-3, "warmup": 0.0}
    return load_params().train_ann.model_copy(
        update=plain | {"weight_decay": 0.0, "early_stopping": 5}
    )


def network(dropout=0.1, *, batch_norm=False):
    small = {"hidden": [8], "activation": "relu"}
    changes = small | {"batch_norm": batch_norm, "dropout": dropout}
    return build_ann(SPEC, settings_of("train_ann", **changes))


def train(
    settings, *, one_hot=False, model=None, count=200, batch_norm=False, saved=True, **options
):
    make_deterministic(settings.seed)
    model = model or network(batch_norm=batch_norm)
    curves, figures = fit(
        model,
        Blobs(count, one_hot=one_hot),
        Blobs(60, one_hot=one_hot),
        settings,
        name="train_ann",
        **options,
    )
    if saved:
        checkpoints.discard("train_ann")
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


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "muon"])
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
    model = network()
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
    from lookbook.training.batches import training_chunks

    make_deterministic(settings.seed)
    model = network(dropout=0.0)
    make_deterministic(settings.seed)
    ours = network(dropout=0.0)
    steps = settings.model_copy(update={"epochs": 1, "schedule": "constant", "early_stopping": 0})
    fit(ours, Blobs(200), Blobs(60), steps, name="train_ann")
    model.compile(keras.optimizers.Adam(steps.learning_rate), "sparse_categorical_crossentropy")
    chunks, an_epoch = training_chunks(Blobs(200), batch_size=16, seed=steps.seed)
    for x, y in chunks.take(an_epoch):
        for start in range(0, len(x), 16):
            model.train_on_batch(x[start : start + 16], y[start : start + 16])
    for received, expected in zip(ours.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(received, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("early_stopping", [0, 5])
def test_a_loss_that_is_not_finite_stops_at_its_step(settings, early_stopping):
    changes = {"optimizer": "sgd", "learning_rate": 1e38, "early_stopping": early_stopping}
    with pytest.raises(LookbookError, match="Expected a finite loss. Received: nan at step 2,"):
        train(settings.model_copy(update=changes | {"schedule": "constant"}))
    assert not list(checkpoints.CHECKPOINTS.glob("*"))


def test_a_loss_that_breaks_late_leaves_no_checkpoint(settings, monkeypatch):
    class BreakInThirdEpoch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            assert epoch == 0 or checkpoints.CHECKPOINTS.is_dir()
            if epoch == 2:
                weights = self.model.get_weights()
                self.model.set_weights([weight * np.nan for weight in weights])

    fit_in_full = Trainer.fit
    monkeypatch.setattr(
        Trainer,
        "fit",
        lambda self, *args, callbacks, **options: fit_in_full(
            self, *args, callbacks=[*callbacks, BreakInThirdEpoch()], **options
        ),
    )
    with pytest.raises(LookbookError, match="Received: nan at step 27,"):  # 13 steps an epoch
        train(settings)
    assert not list(checkpoints.CHECKPOINTS.glob("*"))


@pytest.mark.parametrize(("batch", "step"), [(5, 19), (12, 26)])  # 13 an epoch
def test_a_loss_that_breaks_is_noticed_though_the_host_is_ahead(settings, monkeypatch, batch, step):
    class Break(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.epoch, self.seen = epoch, []

        def on_train_batch_begin(self, number, logs=None):
            self.seen.append(number)
            if (self.epoch, number) == (1, batch):
                self.model.set_weights([weight * np.nan for weight in self.model.get_weights()])

    breaking = Break()
    monkeypatch.setattr(batches, "CHUNK_BATCHES", 1)
    fit_in_full = Trainer.fit
    monkeypatch.setattr(
        Trainer,
        "fit",
        lambda self, *args, callbacks, **options: fit_in_full(
            self, *args, callbacks=[*callbacks, breaking], **options
        ),
    )
    with pytest.raises(LookbookError, match=f"Received: nan at step {step},"):
        train(settings)
    assert breaking.epoch == 1 and breaking.seen[-1] == min(batch + AHEAD, 12)
    assert not list(checkpoints.CHECKPOINTS.glob("*"))


def test_a_step_waits_for_no_result(settings):
    """What it returns is what came of a chunk some steps ago."""
    make_deterministic(settings.seed)
    trainer = compiled(network(), Blobs(200), settings)
    chunks, _ = batches.training_chunks(Blobs(200), batch_size=16, seed=0, max_batches=1)
    drawn = iter(chunks)
    step = trainer.make_train_function()
    told = [step(drawn) for _ in range(5)]
    assert told[0] is told[1] is told[AHEAD] is not told[AHEAD + 1]
    assert [taken.before for taken in trainer._recent] == [2, 3, 4]


@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
@pytest.mark.parametrize("one_hot", [False, True])
def test_the_loss_is_the_cross_entropy_by_hand(settings, label_smoothing, one_hot):
    """One step of plain descent, against gradients written out."""
    changes = {"optimizer": "sgd", "momentum": 0.0, "schedule": "constant", "epochs": 1}
    changes |= {"learning_rate": 0.5, "batch_size": 200, "label_smoothing": label_smoothing}
    changes |= {"class_weights": "balanced", "early_stopping": 0}
    make_deterministic(0)
    model = build_ann(SPEC, settings_of("train_ann", hidden=[], batch_norm=False, dropout=0.0))
    weights, bias = (value.astype(np.float64) for value in model.get_weights())
    blobs = Blobs(200)
    x = blobs.pixels.reshape(200, -1) / 255
    logits = x @ weights + bias
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = np.eye(2)[blobs.labels] * (1 - label_smoothing) + label_smoothing / 2
    balance = (100 / np.bincount(blobs.labels))[blobs.labels]
    gradient = x.T @ ((p - y) * balance[:, None]) / 200
    train(settings.model_copy(update=changes), one_hot=one_hot, model=model)
    np.testing.assert_allclose(model.get_weights()[0], weights - 0.5 * gradient, atol=1e-5)


def test_validation_loss_knows_no_smoothing_and_no_weights(settings):
    changes = {"label_smoothing": 0.5, "class_weights": "balanced"}
    model, _, figures = train(settings.model_copy(update=changes))
    validation = Blobs(60)
    p = model.predict_on_batch(validation.pixels)[np.arange(60), validation.labels]
    assert figures["validation_loss"] == pytest.approx(-np.log(p).mean(), abs=1e-5)


def test_balanced_weights_are_scikit_learns():
    from sklearn.utils.class_weight import compute_class_weight

    blobs = Blobs(50)
    blobs.labels[:40] = 1
    expected = compute_class_weight("balanced", classes=np.arange(2), y=blobs.labels)
    np.testing.assert_allclose(balanced_weights(blobs, 2), expected, rtol=1e-6)
    np.testing.assert_allclose(balanced_weights(blobs, 3)[2], 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "sgd", "momentum": 0.0},
        {"optimizer": "sgd", "momentum": 0.9},
        {"optimizer": "rmsprop"},
        {"optimizer": "adam", "weight_decay": 0.1, "clip_norm": 1.0, "warmup": 0.2},
    ],
)
def test_fused_updates_are_keras_updates(settings, monkeypatch, changes):
    settings = settings.model_copy(update=changes | {"learning_rate": 0.01})
    ends = []
    for devices in (1, 2):
        count = "lookbook.training.fitting.device_count"
        monkeypatch.setattr(count, lambda devices=devices: devices)
        optimizer = build_optimizer(settings, steps=30)
        rng = np.random.default_rng(0)
        variables = [
            keras.Variable(rng.normal(size=shape), dtype="float32") for shape in ((30, 20), (20,))
        ]
        for _ in range(30):
            optimizer.apply(
                [keras.ops.array(rng.normal(size=v.shape), "float32") for v in variables],
                variables,
            )
        ends.append([variable.numpy() for variable in variables])
    assert type(optimizer).__module__.startswith("keras")
    for received, expected in zip(*ends, strict=True):
        np.testing.assert_allclose(received, expected, atol=5e-6)


def test_weight_decay_is_decoupled_and_spares_biases(settings):
    changes = {"optimizer": "sgd", "weight_decay": 0.1, "schedule": "constant"}
    optimizer = build_optimizer(settings.model_copy(update=changes), steps=10)
    weights, bias = keras.Variable([2.0], name="kernel"), keras.Variable([2.0], name="bias")
    optimizer.apply([keras.ops.zeros(1), keras.ops.zeros(1)], [weights, bias])
    assert weights.numpy() == pytest.approx(2 - 2 * 0.1 * settings.learning_rate)
    assert bias.numpy() == 2


def test_gradients_are_clipped_together(settings):
    changes = {"optimizer": "sgd", "momentum": 0.0, "clip_norm": 1.0, "schedule": "constant"}
    changes |= {"learning_rate": 1.0}
    optimizer = build_optimizer(settings.model_copy(update=changes), steps=10)
    first, second = keras.Variable([0.0]), keras.Variable([0.0])
    optimizer.apply([keras.ops.array([3.0]), keras.ops.array([4.0])], [first, second])
    np.testing.assert_allclose([first.numpy()[0], second.numpy()[0]], [-0.6, -0.8], rtol=1e-5)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("constant", [0, 0.5, 1, 1, 1, 1, 1]), ("cosine", [0, 0.5, 1, 0.8536, 0.5, 0.1464, 0])],
)
def test_the_rate_rises_and_falls(settings, schedule, expected):
    changes = {"schedule": schedule, "warmup": 1 / 3, "learning_rate": 1.0}
    optimizer = build_optimizer(settings.model_copy(update=changes), steps=6)
    rates = []
    for step in range(7):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    np.testing.assert_allclose(rates, expected, atol=1e-4)


def test_small_data_sets_get_more_epochs(settings):
    auto = settings.model_copy(update={"epochs": "auto"})
    assert epochs_of(auto, 200) == 77  # 1,000 steps of 16 examples, 13 an epoch
    assert epochs_of(auto, 10**6) == 20


def test_patience_grows_with_the_epochs_where_nobody_says_how_much(settings):
    auto = settings.model_copy(update={"early_stopping": "auto"})
    assert [patience_of(auto, epochs) for epochs in (4, 50, 1000)] == [10, 10, 200]
    for asked in (0, 3):
        said = settings.model_copy(update={"early_stopping": asked})
        assert patience_of(said, 1000) == asked


def test_a_number_of_epochs_is_exactly_that(settings):
    assert [epochs_of(settings, count) for count in (1, 200, 10**6)] == [4, 4, 4]


class KilledError(Exception):
    pass


class KillAfter(keras.callbacks.Callback):
    """Ends a training in the middle of an epoch, as a kill would."""

    def __init__(self, epoch):
        super().__init__()
        self.killing, self.epoch = False, epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.killing = epoch == self.epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.killing:
            raise KilledError


@pytest.mark.parametrize(
    ("killed_in", "optimizer", "windowed"),
    [*itertools.product([1, 3, 5], ["sgd", "adam", "muon"], [False]), (3, "adam", True)],
)
def test_a_killed_training_ends_as_if_it_had_not_been(
    settings, monkeypatch, killed_in, optimizer, windowed
):
    if windowed:
        monkeypatch.setattr(shuffling, "LARGE_BYTES", 0)
        monkeypatch.setattr(shuffling, "WINDOW_BYTES", 16 * 64)  # a picture has 16 bytes
        monkeypatch.setattr(shuffling, "RUN_BYTES", 16 * 4)
        monkeypatch.setattr(batches, "CHUNK_BATCHES", 1)
    monkeypatch.setattr(checkpoints, "SECONDS_APART", 0.0)
    changes = {"epochs": 6, "optimizer": optimizer, "early_stopping": 3, "schedule": "cosine"}
    settings = settings.model_copy(update=changes | {"warmup": 0.2, "learning_rate": 0.05})
    whole, whole_curves, whole_figures = train(settings, batch_norm=True)
    fit_in_full = Trainer.fit

    def fit_until_killed(self, *args, callbacks, **options):
        return fit_in_full(self, *args, callbacks=[*callbacks, KillAfter(killed_in)], **options)

    monkeypatch.setattr(Trainer, "fit", fit_until_killed)
    with pytest.raises(KilledError):
        train(settings, batch_norm=True)
    monkeypatch.setattr(Trainer, "fit", fit_in_full)
    seen = []
    monkeypatch.setattr(
        Trainer,
        "fit",
        lambda self, *a, **o: seen.append(o["initial_epoch"]) or fit_in_full(self, *a, **o),
    )
    resumed, curves, figures = train(settings, batch_norm=True)
    assert seen == [killed_in]
    pd.testing.assert_frame_equal(curves, whole_curves)
    assert figures == whole_figures
    for received, expected in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(received, expected)
    assert not list(checkpoints.CHECKPOINTS.glob("*"))


@pytest.mark.parametrize(("apart", "written"), [(3600.0, [1, 4]), (0.0, [1, 2, 3, 4])])
def test_states_are_written_apart_the_first_and_the_last_in_any_case(
    settings, monkeypatch, apart, written
):
    monkeypatch.setattr(checkpoints, "SECONDS_APART", apart)
    write, seen = checkpoints.Checkpoint._write, []
    monkeypatch.setattr(
        checkpoints.Checkpoint, "_write", lambda self: seen.append(self.epoch) or write(self)
    )
    train(settings)
    assert seen == written


@pytest.mark.parametrize("early_stopping", [0, 2, 50])
def test_a_finished_training_is_not_repeated_if_its_model_was_not_saved(settings, early_stopping):
    changes = {"learning_rate": 0.5, "epochs": 6, "early_stopping": early_stopping}
    settings = settings.model_copy(update=changes)
    first, first_curves, first_figures = train(settings, saved=False)
    epochs = []
    again, curves, figures = train(settings, watch=epochs.append)
    assert epochs == []
    pd.testing.assert_frame_equal(curves, first_curves)
    assert figures == first_figures
    for received, expected in zip(again.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_array_equal(received, expected)


@pytest.mark.parametrize("fault", ["settings", "data", "cut", "empty", "header", "bit"])
def test_a_checkpoint_of_another_training_is_not_used(settings, monkeypatch, fault):
    train(settings, saved=False)
    file = checkpoints.CHECKPOINTS / "train_ann.state"
    content = bytearray(file.read_bytes())
    if fault in ("cut", "empty"):
        file.write_bytes(content[:-100] if fault == "cut" else b"")
    elif fault in ("header", "bit"):
        place = content.index(b"NUMPY") + 30 if fault == "header" else len(content) // 2
        content[place] ^= 1
        file.write_bytes(content)
    elif fault == "settings":
        settings = settings.model_copy(update={"learning_rate": 2e-3})
    make_deterministic(settings.seed)
    found = checkpoints.Checkpoint.__init__
    epochs = []

    def look(self, *args):
        found(self, *args)
        epochs.append(self.epoch)

    monkeypatch.setattr(checkpoints.Checkpoint, "__init__", look)
    train(settings, count=199 if fault == "data" else 200)
    assert epochs == [0]


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_a_network_of_less_precision_is_saved_in_float32(precision, tmp_path):
    make_deterministic(0)
    keras.config.set_dtype_policy(f"mixed_{precision}")
    model = network()
    assert model.get_layer("dense").compute_dtype == precision
    keras.config.set_dtype_policy("float32")
    save_keras(model, tmp_path / "model.keras")
    loaded = load_keras(tmp_path / "model.keras", remedy="")
    assert {layer.compute_dtype for layer in loaded.layers} == {"float32"}
    for kept, weights in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, weights)


def test_a_batch_larger_than_memory_names_the_parameter(settings):
    huge = settings.model_copy(update={"batch_size": 10**12})
    with pytest.raises(LookbookError, match="train_ann.batch_size=1000000000000. Lower"):
        train(huge)


def test_memory_that_runs_out_names_the_parameter(settings, monkeypatch):
    def fit_without_memory(*args, **options):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(Trainer, "fit", fit_without_memory)
    with pytest.raises(LookbookError, match="OOM when allocating.* train_ann.batch_size=16. Lower"):
        train(settings)


def test_the_time_spent_waiting_is_told(settings, caplog):
    with caplog.at_level("INFO"):
        train(settings)
    assert re.search(r"[\d.]+ s, [\d.]+ % of it waiting for data", caplog.text)


def test_the_summary_names_every_layer(tmp_path):
    model = network()
    save_summary(model, tmp_path / "summary.txt")
    text = (tmp_path / "summary.txt").read_text()
    assert all(layer.name in text for layer in model.layers)
    assert f"{model.count_params()}" in text
