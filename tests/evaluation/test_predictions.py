import random
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from support import ROOT

from lookbook.evaluation.predictions import (
    Predictions,
    prediction_file,
    predictions_for,
    read_predictions,
    write_predictions,
)
from lookbook.foundation.errors import LookbookError
from lookbook.splits.split import Split


@pytest.fixture
def predictions():
    ids = np.array([f"{number:016x}" for number in range(3)])
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]], np.float32)
    return Predictions(
        ids,
        np.array([0, 1, 0], np.int32),
        probabilities,
        ["a", "b|c", "p_d"],
        np.float32([0, 1, 2]),
    )


def test_what_is_written_is_read_again(predictions, tmp_path):
    path = tmp_path / "model.parquet"
    write_predictions(path, predictions)
    for source in (path, path.read_bytes()):
        back = read_predictions(source, "model")
        assert back.about_the_same(predictions)
        assert back.probabilities.dtype == np.float32
        np.testing.assert_array_equal(back.probabilities, predictions.probabilities)
    assert back.right.tolist() == [True, True, False]


def test_anyone_can_read_the_file(predictions, tmp_path):
    write_predictions(tmp_path / "model.parquet", predictions)
    table = pd.read_parquet(tmp_path / "model.parquet")
    assert list(table.columns) == ["id", "label", "strangeness", "p_a", "p_b|c", "p_p_d"]
    assert table["id"].tolist() == predictions.ids.tolist()
    assert table["p_a"].dtype == np.float32


def test_the_same_predictions_are_the_same_bytes(predictions, tmp_path):
    for name in ("a", "b"):
        write_predictions(tmp_path / name, predictions)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"PAR1 but no more"])
def test_a_damaged_file_has_a_sentence(content, tmp_path):
    path = tmp_path / "model.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LookbookError, match="predictions of a model in here.*dvc repro evaluate"):
        read_predictions(path, "here")


def test_every_flipped_bit_is_noticed_or_harmless(predictions, tmp_path):
    path = tmp_path / "model.parquet"
    write_predictions(path, predictions)
    whole, rng, refused = path.read_bytes(), random.Random(0), 0
    for _ in range(1000):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        try:
            back = read_predictions(bytes(damaged), "model")
        except LookbookError:
            refused += 1
        else:
            assert back.sha256 == predictions.sha256
    assert refused > 600


def test_a_flipped_bit_in_a_page_fails_its_checksum(predictions, tmp_path):
    path = tmp_path / "model.parquet"
    write_predictions(path, predictions)
    damaged = bytearray(path.read_bytes())
    damaged[60] ^= 1  # within the ids
    with pytest.raises(LookbookError, match="CRC checksum verification failed"):
        read_predictions(bytes(damaged), "model")


def test_a_group_that_says_it_has_many_rows_gets_no_room(predictions, tmp_path):
    path = tmp_path / "model.parquet"
    write_predictions(path, predictions)
    rows, others = b"\x16\x06", b"\x26\x08\x16"  # as Thrift: field and 3 rows, what follows
    assert path.read_bytes().count(rows + others) == 1
    many = path.read_bytes().replace(rows + others, b"\x16\xfa\xd9\xf7\xe4")
    with pytest.raises(LookbookError, match="3 rows in groups of [0-9,]{10}"):
        read_predictions(many, "model")


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads in /proc")
def test_no_thread_still_reads_when_the_process_ends(predictions, tmp_path):
    path = tmp_path / "model.parquet"
    write_predictions(path, predictions)
    code = (
        "import os, sys; from pathlib import Path\n"
        "from lookbook.evaluation.predictions import read_predictions\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "read_predictions(Path(sys.argv[1]).read_bytes(), 'model')\n"
        "print(len(os.listdir('/proc/self/task')) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, check=True, text=True
    )
    assert done.stdout.strip() == "0"


def test_another_table_has_a_sentence(tmp_path):
    pd.DataFrame({"id": ["a"], "x": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(LookbookError, match="Expected the predictions of a model in other"):
        read_predictions(tmp_path / "other.parquet", "other")


@pytest.mark.parametrize(
    "columns",
    [
        {"id": ["a"], "label": [9], "p_x": [1.0]},
        {"id": ["a"], "label": [-1], "p_x": [1.0]},
        {"id": ["a"], "label": ["0"], "p_x": [1.0]},
        {"id": ["a"], "label": [0], "p_x": ["much"]},
        {"id": ["a"], "label": [None], "p_x": [1.0]},
        {"id": ["a"], "label": [[0]], "p_x": [[1.0]]},
        {"id": ["a"], "label": [0], "p_x": [1.0], "p_y": ["much"]},
    ],
    ids=str,
)
def test_a_table_of_other_types_has_a_sentence(tmp_path, columns):
    pd.DataFrame(columns).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(LookbookError, match="Expected the predictions of a model in other"):
        read_predictions(tmp_path / "other.parquet", "other")


def test_predictions_are_told_from_those_of_other_pictures(processed):
    test = Split("test")
    shares = np.full((len(test), 10), 0.1)
    predictions = predictions_for(test, shares)
    predictions.check_about(test)
    assert predictions.ids[0] == test.index()["id"][0]
    with pytest.raises(LookbookError, match="359 pictures of data/processed/validation.*dvc repro"):
        predictions.check_about(Split("validation"))


def test_each_model_and_split_has_a_file():
    assert prediction_file("train_cnn", "test").as_posix() == (
        "metrics/predictions/test/train_cnn.parquet"
    )
