"""The readers' harnesses in fuzz, which need no fuzzer: seeds, and seeds that are damaged."""

import importlib
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import ROOT

from fuzz import READERS, attempt

WITH_KERAS = {"models"}
CASES = 40  # damaged ones of each seed


def damaged(seed, rng):
    """Return a seed that is cut off, or has some other bytes."""
    content = bytearray(seed)
    for _ in range(rng.randrange(1, 4)):
        content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content[: rng.randrange(1, len(content))] if rng.random() < 0.2 else content)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow) if n in WITH_KERAS else n for n in READERS],
)
def test_seeds_are_read_and_their_damage_is_told(name, tmp_path):
    reader, rng = importlib.import_module(f"fuzz.{name}"), random.Random(0)
    taken = 0
    with ThreadPoolExecutor(1) as aside:  # in this thread a browser may have its event loop
        for number, seed in enumerate(reader.SEEDS):
            for case in range(CASES + 1):
                folder = tmp_path / f"{number}-{case}"
                folder.mkdir()
                content = damaged(seed, rng) if case else seed
                taken += aside.submit(attempt, reader, content, folder).result() and not case
    assert taken > 0


def test_every_kind_of_foreign_bytes_has_a_harness():
    assert set(READERS) >= {
        "archives", "cards", "downloads", "exported", "idx", "lists", "models", "packs",
        "parquet", "patches", "pictures", "serving", "table",
    }  # fmt: skip


def test_without_the_fuzzer_there_is_a_sentence():
    code = (
        "import sys, importlib.util as util; find = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'atheris' else find(name, *rest)\n"
        "from fuzz.__main__ import main; sys.argv[1:] = []; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: Expected atheris")
