"""Tables of answers to which rows are added."""

import random

import pytest

from lookbook.foundation.errors import LookbookError
from lookbook.inference.classifier import Prediction
from lookbook.predicting.tables import Stamp, adding_rows, columns_of, known_paths, row_of

CLASSES = ["=cmd", "b"]
STAMP = Stamp("a" * 12, "b" * 12, "")
SAID = Prediction("=cmd", "=cmd", 0.9, {"=cmd": 0.9, "b": 0.1}, ["=cmd"], 0.5, "likely")
NAMES = ["=1+1.png", "@x", "\t=x", "'=x", "a,b", "line\nbreak", "caf\u00e9", "\u202egnp"]


def write(path, names=NAMES):
    with adding_rows(path, columns_of(CLASSES), keeps=True) as rows:
        for name in names:
            rows.write(row_of(name, SAID, STAMP))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_names_of_every_kind_are_read_as_they_were_written(tmp_path, suffix):
    path = tmp_path / f"answers{suffix}"
    write(path)
    write(path, ["more.png"])
    assert known_paths(path, columns_of(CLASSES), STAMP) == {*NAMES, "more.png"}


def test_no_cell_of_a_csv_is_a_formula(tmp_path):
    path = tmp_path / "answers.csv"
    write(path)
    text = path.read_text()
    assert "\n'=1+1.png,'=cmd,0.9,'=cmd," in text
    assert not any(line.startswith(("=", "+", "-", "@")) for line in text.splitlines())
    assert ",=" not in text


def test_damage_of_a_parquet_table_has_a_sentence(tmp_path):
    path = tmp_path / "answers.parquet"
    write(path)
    whole, rng = path.read_bytes(), random.Random(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            known_paths(path, columns_of(CLASSES), STAMP)
        except LookbookError as error:
            refused += "to which rows can be added. Received: " in str(error)
    assert refused > 150


@pytest.mark.parametrize("end", ['"', '"more', 'x.png,"a"b'])
def test_a_quote_that_is_left_open_does_not_take_in_the_rows_that_are_added(tmp_path, end):
    path = tmp_path / "answers.csv"
    write(path)
    path.write_bytes(path.read_bytes()[:-1] + end.encode() + b"\n")
    with pytest.raises(LookbookError, match="to which rows can be added. Received: "):
        known_paths(path, columns_of(CLASSES), STAMP)
