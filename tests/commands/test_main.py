"""The command itself: what it lists, how it starts, where it may be called."""

import subprocess
import sys

import pytest
from support import ROOT, copy_project, run

from lookbook.__main__ import names

COMMANDS = ["add", "classes", "compare", "cut_base", "doctor", "learning_curve"]
COMMANDS += ["learning_rate", "log", "page", "predict", "recipes", "relabel", "remove", "report"]
COMMANDS += ["review", "search", "serve", "status", "timing", "verify"]
HEAVY = {"tensorflow", "keras", "numpy", "pandas", "sklearn", "dvc", "PIL", "cv2"}


def test_a_file_of_the_folder_is_a_command():
    assert names() == COMMANDS


@pytest.mark.parametrize("words", [[], ["-h"], ["--help"], *([name, "-h"] for name in COMMANDS)])
def test_help_imports_nothing_heavy(words):
    code = f"""
import sys
sys.argv = {["lookbook", *words]}
from lookbook.__main__ import main
try:
    main()
except SystemExit as stop:
    assert not stop.code
print(*sorted({HEAVY} & set(sys.modules)), file=sys.stderr)
"""
    done = run(sys.executable, "-c", code, cwd=ROOT)
    assert not done.stderr.strip()
    assert done.stdout.startswith("usage: lookbook")
    if not words:
        assert all(f"  {name} " in done.stdout for name in COMMANDS)


def test_an_unknown_command_lists_the_known_and_the_nearest(lookbook):
    code, _, err = lookbook("compar")
    assert code == 2
    assert err == (
        f"error: Expected one of {', '.join(COMMANDS)}. Received: 'compar'. Did you mean compare?\n"
    )


def test_an_unknown_option_is_a_sentence(lookbook):
    code, _, err = lookbook("verify", "--exactly")
    assert code == 2
    assert "Expected the arguments that `lookbook verify -h` lists. Received:" in err


def test_what_is_not_installed_is_a_sentence(lookbook, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)

    def needs(_arguments):
        import pandas  # noqa: F401

    monkeypatch.setattr("lookbook.commands.recipes.run", needs)
    code, out, err = lookbook("recipes")
    assert (code, out) == (2, "")
    assert err == (
        "error: Expected what `lookbook recipes` needs to be installed. Received: no pandas. Run "
        "`pip install 'lookbook[pipeline]'`, or `make repro` in a clone.\n"
    )


def test_ctrl_c_is_a_line(lookbook, monkeypatch):
    def interrupt(_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("lookbook.commands.recipes.run", interrupt)
    code, out, err = lookbook("recipes")
    assert (code, out, err) == (130, "", "interrupted; nothing half-written was kept\n")


def test_both_ways_to_call_do_the_same(project):
    script = run("lookbook", "recipes", "-h", cwd=project)
    module = run(sys.executable, "-m", "lookbook", "recipes", "-h", cwd=project)
    assert script.stdout == module.stdout


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        (".", "Expected the command of the clone that you stand in"),
        ("stages", "Expected to stand in the clone's root"),
        ("..", "Expected to stand in a clone of Lookbook"),
    ],
)
def test_where_one_stands_matters(tmp_path, folder, expected):
    copy = tmp_path / "elsewhere" / "copy"
    copy_project(copy)
    done = subprocess.run(
        ["lookbook", "recipes"], cwd=copy / folder, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert f"error: {expected}" in done.stderr


@pytest.mark.parametrize(
    "words", [["pets", "--dry-run", "nowhere"], ["--dry-run", "pets", "nowhere"]]
)
def test_options_may_stand_between_the_other_arguments(lookbook, words):
    code, _, err = lookbook("add", *words)
    assert code == 2
    assert "Received: nowhere, no such file or folder" in err
