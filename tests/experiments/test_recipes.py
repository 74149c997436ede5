import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support import ROOT, run

from lookbook.datasets.cards import known_cards
from lookbook.experiments.recipes import at_hand, choose, load_recipes, merged, plan, settings
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.params import Params
from lookbook.foundation.schema import read_yaml, validated

SOURCES = [
    "fashion_sgd",
    "fashion_dense",
    "mnist_mlp_sgd",
    "mnist_mlp_rmsprop",
    "sign_cnn",
    "sign_cnn_augmented",
    "cats_cnn",
    "cats_transfer",
    "flowers_transfer",
]
OURS = ["cats_fine_tuned", "flowers_fine_tuned"]
RECIPES = load_recipes(ROOT / "recipes.yaml")


def test_every_program_of_the_sources_has_a_recipe():
    assert set(RECIPES) == {*SOURCES, *OURS}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_valid_settings(name):
    recipe = RECIPES[name]
    defaults = read_yaml(ROOT / "params.yaml")
    for params in (recipe.params, merged(recipe.params, recipe.stand_in)):
        changed = merged(defaults, params)
        validated(Params, changed, path=Path("recipes.yaml"))
        assert changed["dataset"] in known_cards(ROOT / "data/cards")
    assert recipe.stage in read_yaml(ROOT / "dvc.yaml")["stages"]


def test_all_recipes_without_any_data_have_a_sentence(project, monkeypatch):
    monkeypatch.setattr("lookbook.experiments.recipes.at_hand", lambda dataset: False)
    with pytest.raises(LookbookError, match="at least one recipe to be at hand. Received: none"):
        choose(["all"], RECIPES)


def test_a_recipe_without_a_dataset_has_a_sentence(project):
    Path("recipes.yaml").write_text(
        "mine: {stage: train_ann, metric: accuracy, params: {}, differs: x}"
    )
    with pytest.raises(LookbookError, match="Expected mine.params to be settings with a dataset"):
        load_recipes()


def test_settings_are_as_dvc_takes_them():
    params = {"dataset": "mnist", "train_cnn": {"blocks": [[32], [64]], "a": {"flip": False}}}
    assert settings(params) == [
        'dataset="mnist"',
        "train_cnn.blocks=[[32], [64]]",
        "train_cnn.a.flip=false",
    ]


def test_a_stand_in_changes_only_what_it_names():
    params = {"dataset": "cats", "train": {"base": "VGG16", "epochs": 3}}
    assert merged(params, {"dataset": "sample", "train": {"base": "MobileNet"}}) == {
        "dataset": "sample",
        "train": {"base": "MobileNet", "epochs": 3},
    }


def test_samples_stand_in_where_they_are_all_that_is_at_hand(project, tmp_path, monkeypatch):
    monkeypatch.setenv("LOOKBOOK_MIRROR", str(tmp_path / "mirror"))
    assert at_hand("digits")
    assert not at_hand("cats_vs_dogs_sample")
    assert not plan("cats_cnn", RECIPES["cats_cnn"]).stands_in
    samples = tmp_path / "mirror/samples"
    samples.mkdir(parents=True)
    (samples / "cats_vs_dogs_sample.zip").touch()
    chosen = plan("cats_cnn", RECIPES["cats_cnn"])
    assert chosen.stands_in
    assert chosen.params["dataset"] == "cats_vs_dogs_sample"
    published = tmp_path / "mirror/cats_vs_dogs"
    published.mkdir()
    (published / "kagglecatsanddogs_5340.zip").touch()
    assert not plan("cats_cnn", RECIPES["cats_cnn"]).stands_in
    ready = choose(["all"], RECIPES)
    assert [chosen.name for chosen in ready] == [
        "cats_cnn",
        "cats_transfer",
        "cats_fine_tuned",
    ]


def test_an_unknown_recipe_lists_the_known_ones(project):
    with pytest.raises(LookbookError, match="out of all, fashion_sgd, .*Received: sign_rnn"):
        choose(["sign_rnn"], RECIPES)


def test_without_a_name_the_recipes_are_listed(lookbook):
    Path("recipes.yaml").write_text((ROOT / "recipes.yaml").read_text())
    code, out, _ = lookbook("recipes")
    assert code == 0
    assert [line.split(":")[0] for line in out.splitlines()] == list(RECIPES)


@pytest.mark.slow
def test_a_recipe_is_an_experiment_of_its_own(project, set_params):
    set_params(dataset="mnist")
    recipe = {
        "stage": "train_ann",
        "published": 0.5,
        "metric": "validation_accuracy",
        "params": {
            "dataset": "digits",
            "train_ann": {"hidden": [], "epochs": 2},
        },
        "differs": "another data set",
    }
    (project / "recipes.yaml").write_text(yaml.safe_dump({"small": recipe}))
    metrics = project / "metrics"
    shutil.copytree(ROOT / "metrics", metrics, dirs_exist_ok=True)  # as in every clone
    run("git", "init", "-q", "-b", "main", cwd=project)
    run("git", "add", "-A", cwd=project)
    run("git", "commit", "-qm", "start", cwd=project)
    for _ in range(2):  # the second time in seconds, under the same name
        done = run(sys.executable, "-m", "lookbook", "recipes", "small", cwd=project)
    row = next(line for line in done.stdout.splitlines() if line.startswith("| small"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:3] == ["validation_accuracy", "0.5000"]
    assert float(cells[3]) > 0.6
    assert float(cells[4]) > 0.6
    assert cells[6] == "another data set"
    assert "small" in run("dvc", "exp", "show", "--csv", cwd=project).stdout
    assert not run("git", "status", "--short", cwd=project).stdout
    fails = subprocess.run(
        [sys.executable, "-m", "lookbook", "recipes", "large"],
        cwd=project, capture_output=True, text=True,
    )  # fmt: skip
    assert fails.returncode == 2
    assert "Received: large." in fails.stderr
