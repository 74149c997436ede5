"""dvc.yaml against the code, and the pipeline as a whole, as DVC runs it."""

import ast
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from itertools import accumulate
from pathlib import Path

import psutil
import pytest
import yaml
from support import ROOT, run

from lookbook.inference.card import EXPORTED
from lookbook.ladder.rungs import RUNGS

STAGES = ["download", "preprocess", *(rung.name for rung in RUNGS), "evaluate", "export"]
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


def imported_files(path):
    """The library's files that a Python file imports, by itself and through the others."""
    found, waiting = set(), [path]
    while waiting:
        for node in ast.walk(ast.parse(waiting.pop().read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                for parts in accumulate(name.split("."), lambda path, part: f"{path}/{part}"):
                    package, module = ROOT / parts / "__init__.py", ROOT / f"{parts}.py"
                    file = package if package.is_file() else module
                    if parts.startswith("lookbook") and file.is_file() and file not in found:
                        found.add(file)
                        waiting.append(file)
    return {file.relative_to(ROOT) for file in found}


def rooms_of(files):
    """What a stage names in dvc.yaml for these files: rooms, and files that are in none."""
    return {str(file if len(file.parts) == 2 else Path(*file.parts[:2])) for file in files}


def paths(entries):
    return [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]


def test_the_stages_are_those_of_the_ladder_in_order():
    assert list(PIPELINE) == STAGES
    scripts = {path.stem for path in (ROOT / "stages").glob("*.py")} - {"__init__"}
    assert scripts == set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_one_name_everywhere(stage):
    entry = PIPELINE[stage]
    assert entry["cmd"] == f"python -m stages.{stage}"
    assert entry["metrics"] == [{f"metrics/{stage}.json": {"cache": False}}]
    assert (ROOT / f"tests/stages/test_{stage}.py").is_file()
    assert (ROOT / f"metrics/{stage}.json").is_file()
    sections = yaml.safe_load((ROOT / "params.yaml").read_text())
    if stage != "download":  # it has no settings of its own
        assert stage in sections
        assert stage in entry["params"]
    order = ["cmd", "deps", "params", "outs", "metrics"]
    assert list(entry) == [key for key in order if key in entry]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_names_the_rooms_that_it_imports_and_no_other(stage):
    deps = {path for path in paths(PIPELINE[stage]["deps"]) if path.startswith("lookbook")}
    assert deps == rooms_of(imported_files(ROOT / f"stages/{stage}.py"))
    assert f"stages/{stage}.py" in PIPELINE[stage]["deps"]


def test_a_rooms_files_lie_in_it_flat():
    """A room is one line of `deps`, and all that is in it counts."""
    for path in (ROOT / "lookbook").rglob("*.py"):
        assert len(path.relative_to(ROOT / "lookbook").parts) <= 2


def test_training_does_not_depend_on_how_results_look():
    for stage in (rung.name for rung in RUNGS):
        assert not {"lookbook/ladder", "lookbook/drawing"} & set(PIPELINE[stage]["deps"])


def test_an_editors_files_in_a_room_make_no_stage_run(repository):
    """What editors and tools leave there is not seen by DVC; a change of the code is."""
    room = repository / "lookbook/splits"
    run("dvc", "repro", "preprocess", cwd=repository)
    left = [".spec.py.swp", ".spec.py.swo", "4913", "spec.py~", "#spec.py#", ".#spec.py"]
    left += ["spec.py.orig", ".DS_Store", "__pycache__/spec.cpython-311.pyc", "x.pyc"]
    for file in [*left, ".mypy_cache/x.json"]:
        (room / file).parent.mkdir(exist_ok=True)
        (room / file).write_text("left")
    assert "Running stage" not in run("dvc", "repro", "preprocess", cwd=repository).stdout
    with (room / "spec.py").open("a") as file:
        file.write("# changed\n")
    assert "Running stage 'preprocess'" in run("dvc", "repro", "preprocess", cwd=repository).stdout


@pytest.mark.parametrize("stage", STAGES)
def test_the_paths_of_a_script_are_those_of_the_pipeline(stage):
    tree = ast.parse((ROOT / f"stages/{stage}.py").read_text())
    used = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Path" and node.args
    }
    if stage in ("evaluate", "export"):
        used |= {rung.file.as_posix() for rung in RUNGS} | {"metrics/predictions", "models/doubt"}
        used |= {rung.metrics.as_posix() for rung in RUNGS}
    if stage == "export":
        used |= {EXPORTED.as_posix()}
    if stage != "download":
        used |= {"data/processed"}
    entry = PIPELINE[stage]
    declared = paths(entry["deps"] + entry["outs"] + entry["metrics"])
    declared = {path for path in declared if not path.startswith(("lookbook/", "stages/"))}
    folders = {path: str(Path(path).parent) for path in declared}
    declared = {folder if folder in used else path for path, folder in folders.items()}
    others = {"data/bases", "data/cards", "data/labels", "data/own"}
    assert declared - others == used - others


def test_each_rung_is_evaluated_and_plotted():
    evaluate, plots = PIPELINE["evaluate"], yaml.safe_load((ROOT / "dvc.yaml").read_text())["plots"]
    shown = json.dumps(plots)
    for rung in RUNGS:
        assert rung.file.as_posix() in evaluate["deps"]
        assert rung.name in evaluate["params"]
        assert f"metrics/confusion/{rung.name}.csv" in evaluate["outs"]
        assert f"metrics/confusion/{rung.name}.csv" in shown
        assert rung.title in shown
        assert (f"metrics/curves/{rung.name}.csv" in evaluate["deps"]) == rung.has_curves
        assert (f"metrics/curves/{rung.name}.csv" in shown) == rung.has_curves


def test_no_metric_is_a_time_or_a_date():
    for path in (ROOT / "metrics").glob("*.json"):
        names = set()

        def collect(entry, names=names):
            for key, value in entry.items():
                names.add(key)
                collect(value) if isinstance(value, dict) else None

        collect(json.loads(path.read_text()))
        assert not {name for name in names if "second" in name or "date" in name}


def test_an_unknown_data_set_is_told_through_dvc_too(repository, set_params):
    set_params(dataset="flowers")
    done = run("dvc", "repro", cwd=repository, check=False)
    assert done.returncode != 0
    assert "tf_flowers. Received: 'flowers'" in done.stderr + done.stdout


def wait_for_stage(stage, parent):
    """Return the running process of a stage below `parent`, once it has begun to work."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and parent.poll() is None:
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(parent.pid).children(recursive=True):
                if process.cmdline()[-1:] == [f"stages.{stage}"]:
                    return process
        time.sleep(0.01)
    return None


def locked(folder):
    """What dvc.lock says; the order of its stages is that in which they were finished."""
    return yaml.safe_load((folder / "dvc.lock").read_text())


@pytest.mark.slow
def test_a_kill_in_each_stage_is_made_good_by_the_next_run(repository):
    undisturbed = repository.parent / "undisturbed"
    shutil.copytree(repository, undisturbed)
    run("dvc", "repro", cwd=undisturbed)
    killed = 0
    for stage in STAGES:
        for delay in (0.0, 0.4, 2.0):
            parent = subprocess.Popen(
                ["dvc", "repro", stage],
                cwd=repository,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            process = wait_for_stage(stage, parent)
            if process is None:
                parent.wait()
                continue
            time.sleep(delay)
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                parent.wait()  # DVC may be writing dvc.lock, which it does in place
                continue
            with contextlib.suppress(ProcessLookupError):
                os.killpg(parent.pid, signal.SIGKILL)  # DVC, the shell and the stage at once
            parent.wait()
            killed += 1
    assert killed >= len(STAGES)
    run("dvc", "repro", cwd=repository)
    assert locked(repository) == locked(undisturbed)
    assert not list(repository.rglob(".partial-*"))


@pytest.mark.slow
def test_a_training_killed_between_epochs_goes_on(repository, set_params):
    set_params(**{"train_ann.epochs": 60, "train_ann.hidden": [64], "train_ann.early_stopping": 0})
    undisturbed = repository.parent / "never-killed"
    shutil.copytree(repository, undisturbed)
    run("dvc", "repro", "train_ann", cwd=undisturbed)
    checkpoint = repository / "models/.checkpoints/train_ann.state"
    parent = subprocess.Popen(
        ["dvc", "repro", "train_ann"],
        cwd=repository,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not checkpoint.is_file():
        assert parent.poll() is None
        time.sleep(0.01)
    time.sleep(0.3)
    os.killpg(parent.pid, signal.SIGKILL)
    parent.wait()
    assert checkpoint.is_file()
    done = run("dvc", "repro", "train_ann", cwd=repository)
    assert "going on after epoch" in done.stderr + done.stdout
    assert (repository / "dvc.lock").read_bytes() == (undisturbed / "dvc.lock").read_bytes()
    assert not checkpoint.is_file()


@pytest.mark.slow
def test_a_colleague_pulls_and_has_nothing_to_run(finished, tmp_path_factory):
    shelf = str(tmp_path_factory.mktemp("shelf"))
    run("dvc", "remote", "add", "-d", "shelf", shelf, cwd=finished)
    run("git", "commit", "-qam", "remote", cwd=finished)
    run("dvc", "push", cwd=finished)
    clone = tmp_path_factory.mktemp("colleague") / "clone"
    run("git", "clone", "-q", str(finished), str(clone), cwd=finished)
    run("dvc", "pull", cwd=clone)
    assert "Data and pipelines are up to date." in run("dvc", "repro", cwd=clone).stdout
    assert not run("git", "status", "--short", cwd=clone).stdout
    assert (clone / "metrics/samples.png").is_file()


@pytest.mark.slow
def test_the_published_data_come_back_from_the_run_cache(repository, mirror, monkeypatch):
    monkeypatch.setenv("LOOKBOOK_MIRROR", str(mirror))
    run("dvc", "repro", "preprocess", cwd=repository)
    before = (repository / "dvc.lock").read_text()
    run("dvc", "exp", "run", "-S", "dataset=mnist", "preprocess", cwd=repository)
    assert (repository / "dvc.lock").read_text() != before
    back = run("dvc", "exp", "run", "-S", "dataset=digits", "preprocess", cwd=repository)
    assert (repository / "dvc.lock").read_text() == before
    assert "Running stage" not in back.stdout


def test_preprocess_of_mnist_stays_under_400_megabytes(project, set_params, mirror, monkeypatch):
    monkeypatch.setenv("LOOKBOOK_MIRROR", str(mirror))
    set_params(dataset="mnist")
    run(sys.executable, "-m", "stages.download", cwd=project)
    if not Path("/proc/self/status").exists():
        pytest.skip("this system does not tell a process's own peak")
    code = (
        "import stages.preprocess as stage; stage.main()\nprint(open('/proc/self/status').read())"
    )
    status = run(sys.executable, "-c", code, cwd=project).stdout
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])
    assert peak < 400_000


@pytest.mark.slow
def test_a_whole_run_comes_back_from_the_run_cache(finished):
    before = (finished / "dvc.lock").read_text()
    seeds = [word for rung in RUNGS for word in ("-S", f"{rung.name}.seed=1")]
    run("dvc", "exp", "run", *seeds, cwd=finished)
    assert (finished / "dvc.lock").read_text() != before
    run("git", "checkout", "-q", "params.yaml", cwd=finished)
    assert "Running stage" not in run("dvc", "repro", cwd=finished).stdout
    assert (finished / "dvc.lock").read_text() == before


@pytest.mark.parametrize("stage", STAGES)
def test_git_keeps_no_output_but_metrics_since_the_run_cache_skips_stages_that_have_such(stage):
    assert all(isinstance(out, str) for out in PIPELINE[stage]["outs"])


@pytest.mark.parametrize("stage", PIPELINE)
def test_no_stage_is_always_changed(stage):
    """Or `compare` would say of every set that its results are not up to date."""
    assert not PIPELINE[stage].get("always_changed")


def test_ignored_paths_are_what_the_pipeline_makes():
    ignored = Path(ROOT, ".gitignore").read_text().splitlines()
    for stage in STAGES:
        for path in PIPELINE[stage]["outs"]:
            assert any(f"/{path}".startswith(line.rstrip("/")) for line in ignored if line)
