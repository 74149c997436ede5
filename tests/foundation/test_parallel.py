import os
import threading

import pytest

from lookbook.foundation import parallel
from lookbook.foundation.parallel import core_count, in_parallel


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("max 100000", 8), ("250000 100000", 3), ("1000 100000", 1), ("9900000 100000", 8)],
)
def test_a_container_has_the_cores_of_its_quota(tmp_path, monkeypatch, quota, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(parallel, "QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(parallel, "QUOTAS", (tmp_path / "quota", tmp_path / "period"))
    assert core_count() == 8
    (tmp_path / "cpu.max").write_text(f"{quota}\n")
    assert core_count() == expected
    (tmp_path / "cpu.max").unlink()
    for name, value in zip(("quota", "period"), quota.replace("max", "-1").split(), strict=True):
        (tmp_path / name).write_text(f"{value}\n")
    assert core_count() == expected


def test_the_order_stays_and_little_is_drawn_ahead():
    drawn = []
    items = (drawn.append(number) or number for number in range(1000))
    results = in_parallel(lambda number: number * 2, items)
    assert next(results) == 0
    assert len(drawn) <= 2 * core_count() + 2
    assert list(results) == [2 * number for number in range(1, 1000)]


def test_as_many_threads_as_are_asked_for():
    together = threading.Barrier(20)  # each waits for the others
    assert list(in_parallel(lambda _: together.wait(20) >= 0, range(20), threads=20)) == [True] * 20
