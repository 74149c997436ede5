import json
from pathlib import Path

import numpy as np
import pytest

from lookbook.bases import load_base
from lookbook.models import load_model
from lookbook.networks import build_feature_extractor
from lookbook.splits import Split, read_spec
from stages import train_transfer


def test_the_committed_base_serves_digits(processed, set_params, run_main):
    set_params(**{"train_transfer.epochs": 15})
    code, err = run_main(train_transfer.main)
    assert code == 0, err
    metrics = json.loads(Path("metrics/train_transfer.json").read_text())
    assert metrics["validation_accuracy"] > 0.93
    assert metrics["trained_parameters"] == 128 * 10 + 10
    assert metrics["parameters"] > 90_000
    validation = Split("validation")
    everything = validation.images(np.arange(len(validation)))
    predicted = load_model(train_transfer.MODEL).probabilities(everything).argmax(axis=1)
    accuracy = (predicted == validation.labels).mean()
    assert accuracy == pytest.approx(metrics["validation_accuracy"], abs=0.003)


def test_each_picture_goes_through_the_base_once(processed):
    extractor = build_feature_extractor(read_spec(), load_base("fashion_mnist_cnn"))
    validation = Split("validation")
    seen = []
    images = validation.images
    validation.images = lambda indices: seen.extend(indices.tolist()) or images(indices)
    features = train_transfer.Features(extractor, validation)
    for indices in ([0, 5], [5, 7]):
        features.images(np.array(indices))
    assert seen == list(range(len(validation)))
    expected = extractor.predict_on_batch(images(np.array([5, 7])))
    np.testing.assert_allclose(features.images(np.array([5, 7])), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(features.targets(np.arange(3)), validation.labels[:3])


def test_an_unknown_base_lists_those_there_are(processed, set_params, run_main):
    set_params(**{"train_transfer.base": "vgg61"})
    code, err = run_main(train_transfer.main)
    assert code == 1
    assert "to be one of: fashion_mnist_cnn. Received: 'vgg61'." in err


def test_a_damaged_base_says_how_to_get_it_back(processed, run_main):
    base = Path("data/bases/fashion_mnist_cnn.keras")
    base.write_bytes(base.read_bytes()[:1000])
    code, err = run_main(train_transfer.main)
    assert code == 1
    assert f"a whole model file at {base}" in err
    assert f"git checkout {base}" in err


def test_the_committed_base_is_small():
    bases = list((Path(__file__).parents[1] / "data/bases").iterdir())
    assert sum(path.stat().st_size for path in bases) < 10**6
