import json
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml
from support import ROOT, run
from trials_kept import at, listed, working_in

from lookbook.experiments.trials import Clone, with_settings
from lookbook.foundation.errors import LookbookError
from lookbook.splits.split import Split


@pytest.mark.slow
def test_trials_are_experiments_whatever_comes_of_them(committed, monkeypatch):
    opened = []
    opens = Split.__init__

    def noting(self, name, *arguments):
        opened.append(name)
        opens(self, name, *arguments)

    monkeypatch.setattr(Split, "__init__", noting)
    clone = Clone(committed / ".dvc/tmp/search/one", "train_ann")
    before = clone.prepare()
    assert before.right is not None
    assert before.epochs == 1

    epochs = []
    settings = {"train_ann": {"hidden": [64], "epochs": 3, "learning_rate": 0.01}}
    outcome = clone.try_out("good", settings, lambda *row: epochs.append(row) or True)
    assert [epoch for epoch, _ in epochs] == [1, 2, 3]
    figures = json.loads(at("good", "metrics/train_ann.json", committed))
    assert outcome.right.mean() == pytest.approx(figures["validation_accuracy"], abs=1e-6)
    assert outcome.operations > before.operations > 0
    params = yaml.safe_load(at("good", "params.yaml", committed))
    assert params["train_ann"] | settings["train_ann"] == params["train_ann"]

    outcome = clone.try_out("poor", {"train_ann": {"epochs": 4000}}, lambda epoch, _: epoch < 3)
    assert outcome.right is None
    assert not outcome.failure
    assert outcome.epochs == 3  # that were watched, however many came before it was ended
    assert not at("poor", "metrics/train_ann.json", committed)
    params = yaml.safe_load(at("poor", "params.yaml", committed))["train_ann"]
    assert (params["epochs"], params["hidden"]) == (4000, [])
    assert at("poor", "dvc.lock", committed) != at("good", "dvc.lock", committed)

    outcome = clone.try_out("wrong", {"train_ann": {"dropout": 2}}, lambda *_: True)
    assert outcome.right is None
    assert outcome.failure.startswith("Expected train_ann.dropout to be less than 1")

    again = clone.try_out("again", settings, lambda *_: True)  # from DVC's cache of runs
    assert at("again", "dvc.lock", committed) == at("good", "dvc.lock", committed)
    assert again.epochs == 3
    assert not working_in(clone.folder)
    shown = listed(committed)
    assert set(shown) == {"good", "poor", "wrong", "again"}
    assert shown["poor"]["params"]["params.yaml"]["data"]["train_ann"]["epochs"] == 4000
    assert set(opened) == {"validation"}
    assert not run("git", "status", "--short", cwd=committed).stdout

    run("dvc", "exp", "apply", "good", cwd=committed, check=False)  # other stages never ran here
    assert yaml.safe_load(Path("params.yaml").read_text())["train_ann"]["epochs"] == 3
    assert "up to date" in run("dvc", "status", "train_ann", cwd=committed).stdout


@pytest.mark.slow
def test_a_search_that_is_killed_goes_on_and_leaves_nothing_behind(committed):
    command = [sys.executable, "-m", "lookbook", "search", "train_ann", "--trials", "5"]
    command += ["--workers", "2"]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    done = next(line for line in first.stdout if "train_ann-" in line and "-00" in line)
    assert "on validation pictures" in done
    first.send_signal(signal.SIGKILL)
    first.wait()
    deadline = time.monotonic() + 30
    while working_in(committed / ".dvc/tmp") and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not working_in(committed / ".dvc/tmp")
    journal = next(Path("search").glob("*/journal.log"))
    before = journal.read_bytes()

    second = run(*command, cwd=committed)
    assert done not in second.stdout
    assert second.stdout.count("on validation pictures") <= 5
    assert "5 trials: " in second.stdout
    assert "Not repeatable: 2 workers" in second.stdout
    assert journal.read_bytes().startswith(before[: before.rfind(b"\n")])
    assert sorted(path.name for path in journal.parent.iterdir()) == [
        "journal.log", "lock", "report.md", "report.svg"
    ]  # fmt: skip
    assert set(listed(committed)) == {f"{journal.parent.name}-{number:03}" for number in range(5)}
    assert not list(Path(".dvc/tmp/search").iterdir())
    assert not run("git", "status", "--short", cwd=committed).stdout


@pytest.mark.slow
def test_ctrl_c_ends_trials_and_clones(committed):
    command = [sys.executable, "-m", "lookbook", "search", "train_ann", "--trials", "50"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    next(line for line in process.stdout if "trials of train_ann to come" in line)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; nothing half-written was kept" in said
    assert not working_in(committed / ".dvc/tmp")
    assert not list(Path(".dvc/tmp/search").iterdir())


@pytest.mark.slow
def test_settings_at_head_that_fail_are_told_at_once(committed, set_params):
    set_params(**{"train_ann.epochs": 0})
    run("git", "commit", "-qam", "wrong", cwd=committed)
    clone = Clone(committed / ".dvc/tmp/search/one", "train_ann", threading.Event())
    with pytest.raises(
        LookbookError, match=r"with its settings in params.yaml. Received: Expected"
    ):
        clone.prepare()


def test_settings_are_changed_and_comments_stay():
    before = (ROOT / "params.yaml").read_text()
    assert with_settings(before, {}) == before
    changes = {"train_cnn": {"blocks": [[8], [16, 16]], "augmentation": {"zoom": 0.1}}}
    after = with_settings(before, changes | {"train_ann": {"learning_rate": 1e-05}})
    rows = zip(before.splitlines(), after.splitlines(), strict=True)
    changed = [new for old, new in rows if old != new]
    assert len(changed) == 3
    assert re.match(r"  blocks: \[\[8\], \[16, 16\]\] +# channels of convolutions;", changed[1])
    params = yaml.safe_load(after)
    assert float(params["train_ann"]["learning_rate"]) == 1e-05
    assert params["train_cnn"]["augmentation"] == {
        "rotation": 5, "zoom": 0.1, "shift": 0.07, "flip": "auto", "erase": 0.0
    }  # fmt: skip
