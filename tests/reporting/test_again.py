import subprocess

import yaml
from support import ROOT

from lookbook.foundation.params import Params, load_params
from lookbook.reporting.again import DEFAULTS, Changed, changed, flattened


def test_the_defaults_are_those_of_params_yaml_as_lookbook_comes():
    """Of the last commit, since one may try other parameters and run the tests."""
    committed = subprocess.run(
        ["git", "show", "HEAD:params.yaml"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    remedy = f"new defaults: copy params.yaml to {DEFAULTS.name} too; your own: that is fine"
    assert yaml.safe_load(DEFAULTS.read_text()) == yaml.safe_load(committed), remedy


def test_what_differs_from_the_defaults_is_told():
    defaults = yaml.safe_load(DEFAULTS.read_text())
    assert changed(Params.model_validate(defaults)) == []
    defaults["train_cnn"]["augmentation"]["rotation"] = 9
    defaults["dataset"] = "pets"
    assert changed(Params.model_validate(defaults)) == [
        Changed("dataset", "pets", "digits"),
        Changed("train_cnn.augmentation.rotation", 9.0, 5),
    ]


def test_nested_values_have_dotted_names():
    assert flattened({"a": 1, "b": {"c": [2], "d": {}}}) == {"a": 1, "b.c": [2]}


def test_every_parameter_has_a_default():
    defaults = flattened(yaml.safe_load(DEFAULTS.read_text()))
    assert flattened(load_params(ROOT / "params.yaml").model_dump()).keys() == defaults.keys()
