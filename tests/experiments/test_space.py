import re

import pytest
import yaml
from support import ROOT

from lookbook.experiments.space import Choices, Parameter, Range, Space, load_space
from lookbook.foundation.errors import LookbookError
from lookbook.ladder.rungs import RUNGS

WITH_CURVES = [rung.name for rung in RUNGS if rung.has_curves]


@pytest.fixture
def space_of(tmp_path):
    """A function that reads a space of train_ann with these entries."""

    def read(entries, stage="train_ann"):
        path = tmp_path / "search.yaml"
        path.write_text(yaml.safe_dump({"train_ann": entries}))
        return load_space(stage, path, ROOT / "params.yaml")

    return read


@pytest.mark.parametrize("stage", WITH_CURVES)
def test_every_network_has_a_space_of_its_own(stage):
    space = load_space(stage, ROOT / "search.yaml", ROOT / "params.yaml")
    assert space.stage == stage
    assert len(space.parameters) >= 5


def test_a_space_is_read_as_it_is_written(space_of):
    rate = {"low": 1e-4, "high": 1e-2, "log": True}
    entries = {
        "learning_rate": rate,
        "epochs": {"low": 2, "high": 8},
        "hidden": {"choices": [[], [8]]},
    }
    assert space_of(entries) == Space(
        "train_ann",
        (
            Parameter("epochs", Range(low=2, high=8), is_whole=True),
            Parameter("hidden", Choices(choices=[[], [8]])),
            Parameter("learning_rate", Range(low=1e-4, high=1e-2, log=True)),
        ),
    )


def test_settings_are_nested_as_in_params():
    space = load_space("train_transfer", ROOT / "search.yaml", ROOT / "params.yaml")
    values = {"dropout": 0.2, "fine_tune.batch_size": 16, "fine_tune.learning_rate": 1e-3}
    assert space.settings(values) == {
        "train_transfer": {"dropout": 0.2, "fine_tune": {"batch_size": 16, "learning_rate": 1e-3}}
    }


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ({"learning": {"low": 1, "high": 2}}, "Received: train_ann.learning, which is unknown"),
        ({"blocks": {"choices": [[[8]], [[16]]]}}, "(blocks is a parameter of train_cnn)"),
        ({"dropout": {"low": 0.5, "high": 0.5}}, "a range with low below high, not 0.5 to 0.5"),
        ({"dropout": {"low": 0.6, "high": 0.1}}, "a range with low below high, not 0.6 to 0.1"),
        ({"dropout": {"low": 0, "high": 0.5, "log": True}}, "a range above 0 where log is true"),
        ({"dropout": {"low": 0, "high": 0.5, "step": 1}}, "a range longer than its step 1"),
        ({"dropout": {"low": 0, "high": 0.5, "step": 0}}, "train_ann.dropout.step to be greater"),
        ({"dropout": {"low": 0.1, "high": 0.5, "log": True, "step": 0.1}}, "not with both"),
        ({"dropout": {"low": 0}}, "Expected a value for train_ann.dropout.high. Received: nothing"),
        ({"dropout": {"low": "few", "high": 1}}, "train_ann.dropout.low to be a valid number"),
        ({"dropout": {"low": 0.1, "high": 1.0}}, "train_ann.dropout to be less than 1"),
        ({"dropout": {"low": 0.1, "high": 0.5, "choices": [1]}}, "at least 2 items"),
        ({"hidden": {"choices": []}}, "train_ann.hidden.choices to have at least 2 items"),
        ({"hidden": {"choices": [[8], [8]]}}, "choices that differ"),
        ({"hidden": {"choices": [[8], "large"]}}, "train_ann.hidden to be a valid list"),
        ({"hidden": {"low": 1, "high": 9}}, "train_ann.hidden to be a valid list"),
        ({"batch_norm": {"low": 0, "high": 1}}, "Expected train_ann.batch_norm to have choices"),
        ({"batch_size": {"low": 8.5, "high": 64}}, "train_ann.batch_size to be a valid integer"),
        ({"batch_size": {"low": 8, "high": 64, "step": 0.5}}, "whole numbers for low, high"),
        ({"epochs": {"low": 1.5, "high": 3}}, "train_ann.epochs to be auto or a whole number"),
        ({"dropout": 0.1}, "Expected train_ann.dropout to hold settings, each with low and high"),
        ({}, "Expected train_ann to hold settings, each with low and high, or with choices"),
        ({1: {"low": 0, "high": 1}}, "Expected train_ann to hold names of settings. Received: [1]"),
        ({"seed": {"low": 0, "high": 9}}, "Received: train_ann.seed, which is chance"),
        ({"a b": {"low": 0, "high": 9}}, "Expected the name of a setting. Received: train_ann.a b"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_space_has_a_sentence(space_of, entries, sentence):
    with pytest.raises(LookbookError, match=re.escape(sentence)) as caught:
        space_of(entries)
    assert "search.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("stage", "sentence"),
    [
        ("train_rnn", "Received: train_rnn, unknown. Name one of those."),
        ("baseline", "Received: baseline, which has no curves."),
        ("train_cnn", "Expected a section train_cnn in .*Received: train_ann. Add one"),
    ],
)
def test_a_stage_that_cannot_be_searched_has_a_sentence(space_of, stage, sentence):
    with pytest.raises(LookbookError, match=sentence):
        space_of({"dropout": {"low": 0.1, "high": 0.5}}, stage)


def test_a_section_of_another_name_has_a_sentence(tmp_path):
    path = tmp_path / "search.yaml"
    path.write_text("train_ann: {dropout: {low: 0, high: 0.5}}\ntrain_dnn: {}\n")
    with pytest.raises(LookbookError, match="as a section of .*Received: train_dnn, unknown"):
        load_space("train_ann", path, ROOT / "params.yaml")


def test_without_search_yaml_there_is_a_sentence(tmp_path):
    with pytest.raises(LookbookError, match="Expected the file .*search.yaml"):
        load_space("train_ann", tmp_path / "search.yaml", ROOT / "params.yaml")
