import shutil
import sys
from pathlib import Path

import pytest
from support import ROOT, run

from lookbook.cluster import connecting
from lookbook.commands import search
from lookbook.experiments.search import held


@pytest.fixture
def searchable(repository):
    """The repository with a space."""
    shutil.copy(ROOT / "search.yaml", "search.yaml")
    run("git", "add", "search.yaml", cwd=repository)
    run("git", "commit", "-qm", "a space", cwd=repository)
    return repository


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train_rnn"], "Expected a stage to search that is trained by epochs: train_ann, "),
        (["baseline"], "Received: baseline, which has no curves."),
        (["train_ann", "--trials", "0"], "Expected --trials from 1 to 10,000. Received: 0."),
        (["train_ann", "--workers", "-1"], "Expected --workers from 1 to 256. Received: -1."),
        (["train_ann", "--seed", "-1"], "Expected --seed from 0 to 4,294,967,295. Received: -1."),
        ([], "the following arguments are required: STAGE"),
        (["train_ann", "--trials", "many"], "argument --trials: invalid int value: 'many'"),
    ],
)
def test_words_that_make_no_sense_have_a_sentence(searchable, lookbook, words, sentence):
    code, _, err = lookbook("search", *words)
    assert code == 2
    assert err.startswith("error: Expected ")
    assert sentence in err
    assert not Path("search").exists()


def test_a_space_with_a_mistake_has_a_sentence(searchable, lookbook):
    Path("search.yaml").write_text("train_ann: {droput: {low: 0.1, high: 0.5}}")
    code, _, err = lookbook("search", "train_ann")
    assert code == 2
    assert "Received: train_ann.droput, which is unknown. Change it in search.yaml." in err
    assert not Path("search").exists()


@pytest.mark.parametrize("changed", ["params.yaml", "lookbook/new.py", "data/cards/mine.yaml"])
def test_changes_that_trials_would_miss_have_a_sentence(searchable, lookbook, changed):
    with Path(changed).open("a") as file:
        file.write("\n")
    Path("README.md").write_text("of no matter")
    code, _, err = lookbook("search", "train_ann")
    assert code == 2
    assert f"which is HEAD. Received: changes in {changed}. Commit them" in err
    assert not Path("search").exists()


def test_an_address_without_a_scheduler_has_a_sentence(searchable, lookbook, monkeypatch):
    monkeypatch.setattr(connecting, "CONNECTING_SECONDS", 1)
    monkeypatch.setenv(connecting.ADDRESS, "tcp://127.0.0.1:9")
    code, _, err = lookbook("search", "train_ann")
    assert code == 2
    assert err.startswith("error: Expected a Dask scheduler at tcp://127.0.0.1:9, as ")
    assert not Path("search").exists()


def test_clones_of_killed_searches_are_removed_and_no_others(project):
    names = ("train_ann-0000001", "train_ann-0000002", "train_cnn-0000003")
    for name in names:
        (search.CLONES / f"{name}-17-0").mkdir(parents=True)
    with held(search.FOLDER / names[0]), held(search.FOLDER / names[2]):
        search.remove_abandoned(names[0])
    assert [path.name for path in search.CLONES.iterdir()] == [f"{names[2]}-17-0"]


def test_without_git_there_is_a_sentence(searchable, lookbook):
    shutil.rmtree(".git")
    code, _, err = lookbook("search", "train_ann")
    assert code == 2
    assert err.startswith("error: Expected a Git repository")


def test_without_optuna_there_is_a_sentence(searchable, lookbook, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("lookbook.experiments.search")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "optuna", None)
    code, _, err = lookbook("search", "train_ann")
    assert code == 2
    assert err == (
        "error: Expected what `lookbook search` needs to be installed. Received: no optuna. Run "
        "`pip install 'lookbook[search]'`, or `pip install '.[search]'` in a clone.\n"
    )
