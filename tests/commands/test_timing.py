from pathlib import Path

import numpy as np
import pytest
from support import settings_of

from lookbook.commands.timing import TABLE, milliseconds
from lookbook.foundation.stopwatch import TIMES, note, noted
from lookbook.ladder.rungs import rung
from lookbook.networks.architectures import build_ann
from lookbook.networks.saving import save_keras
from lookbook.splits.split import Split
from stages import baseline


def test_times_are_kept_by_name(project):
    assert noted() == {}
    note("train_ann", 12.34)
    note("train_cnn", 5)
    note("train_ann", 2)
    assert noted() == {"train_ann": 2, "train_cnn": 5}
    TIMES.write_text("{")
    assert noted() == {}


def test_times_are_not_in_git_and_not_an_output(project):
    ignored = Path(".gitignore").read_text().splitlines()
    assert "/metrics/times.json" in ignored
    assert "/metrics/times.md" in ignored
    assert "times" not in Path("dvc.yaml").read_text()


def test_a_time_is_that_of_one_picture(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("lookbook.commands.timing.time.perf_counter", lambda: clock[0])

    def call(pictures):
        clock[0] += 0.02

    assert milliseconds(call, np.zeros((10, 1))) == pytest.approx(2)


def test_the_command_times_every_rung(processed, run_main, lookbook, monkeypatch):
    assert run_main(baseline.main)[0] == 0
    small = build_ann(Split("train").spec, settings_of("train_ann", hidden=[]))
    two = (rung("baseline"), rung("train_ann"))
    save_keras(small, two[1].file)
    monkeypatch.setattr("lookbook.ladder.rungs.RUNGS", two)
    monkeypatch.setattr("lookbook.commands.timing.SECONDS", 0.05)
    monkeypatch.setattr(  # TensorFlow has started, and its threads cannot be changed any more
        "tensorflow.config.threading.set_intra_op_parallelism_threads", lambda threads: None
    )
    monkeypatch.setattr(
        "tensorflow.config.threading.set_inter_op_parallelism_threads", lambda threads: None
    )
    code, out, err = lookbook("timing")
    assert code == 0, err
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in out.strip().splitlines()]
    assert rows[0] == ["model", "training, seconds", "one picture, ms", "of 32, ms each"]
    assert [row[0] for row in rows[2:]] == ["baseline", "train_ann"]
    assert float(rows[2][1]) > 0  # it was trained here
    assert rows[3][1] == "not run here"
    assert all(float(cell) > 0 for row in rows[2:] for cell in row[2:])
    assert TABLE.read_text().strip() == out.strip()
