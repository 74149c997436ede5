import json

import pytest
from support import ROOT

from lookbook.evaluation.learning_curve import fingerprint_of, read_learning_curve
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.params import load_params

SPLITS = {"train": "a", "validation": "b", "test": "c"}
PARAMS = load_params(ROOT / "params.yaml")


def changed(section, **values):
    settings = getattr(PARAMS, section).model_copy(update=values)
    return PARAMS.model_copy(update={section: settings})


def curve(path, network="train_transfer"):
    figures = {"network": network, "fingerprint": fingerprint_of(network, PARAMS, SPLITS)}
    path.write_text(json.dumps(figures))
    return figures


@pytest.mark.parametrize("network", ["train_transfer", "train_cnn"])
def test_a_curve_of_these_data_is_shown(tmp_path, network):
    path = tmp_path / "curve.json"
    figures = curve(path, network)
    assert read_learning_curve(path, PARAMS, SPLITS) == figures
    assert read_learning_curve(path, PARAMS, SPLITS | {"test": "x"}) == figures
    assert read_learning_curve(path, PARAMS, SPLITS | {"train": "x"}) is None
    assert read_learning_curve(path, PARAMS, SPLITS | {"validation": "x"}) is None


def test_the_settings_that_it_depends_on_count_and_no_other(tmp_path):
    path = tmp_path / "curve.json"
    curve(path)
    assert read_learning_curve(path, changed("train_transfer", width=0.5), SPLITS) is None
    assert read_learning_curve(path, changed("train_transfer", epochs=3), SPLITS)
    assert read_learning_curve(path, changed("train_cnn", epochs=3), SPLITS)
    curve(path, "train_cnn")
    assert read_learning_curve(path, changed("train_cnn", epochs=3), SPLITS) is None


def test_none_is_shown_for_an_empty_one(tmp_path):
    path = tmp_path / "curve.json"
    path.write_text("{}\n")
    assert read_learning_curve(path, PARAMS, SPLITS) is None


@pytest.mark.parametrize("content", ["", "[1]", '{"network": "train_cnn"}'])
def test_a_damaged_one_has_a_sentence(tmp_path, content):
    path = tmp_path / "curve.json"
    path.write_text(content)
    with pytest.raises(LookbookError, match="Expected a learning curve, or {}, in "):
        read_learning_curve(path, PARAMS, SPLITS)
