from pathlib import Path

import numpy as np
import pytest

from lookbook.commands.timing import milliseconds
from lookbook.foundation.stopwatch import TIMES, note, noted


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
