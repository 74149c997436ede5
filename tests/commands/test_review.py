"""The command on digits, with the base that comes with the project."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lookbook.datasets.labels import COLUMNS, write_labels
from lookbook.splits.split import Split
from lookbook.splits.sums import write_sums

PAGE = Path("review.html")


def shown():
    """The ids on the page, in its order."""
    return re.findall(r'<article data-id="(\w+)"', PAGE.read_text())


@pytest.fixture
def flipped(processed):
    """Digits with the labels of ten training pictures flipped, on the disk; their ids."""
    path = processed / "train/labels-00000.npy"
    labels, index = np.load(path), Split("train").index()
    rows = np.random.default_rng(0).choice(len(labels), 10, replace=False)
    labels[rows] = (labels[rows] + 1) % 10
    np.save(path, labels)
    index["label"] = labels
    index.to_csv(processed / "train/index-00000.csv", index=False)
    write_sums(processed)
    return index["id"].iloc[rows].tolist()


def test_flipped_labels_are_the_first_suspects_and_the_test_split_stays_shut(flipped, lookbook):
    code, out, err = lookbook("review", "--most", 20)
    assert code == 0, err
    assert "suspects: 20" in out
    assert len(set(flipped) & set(shown()[:20])) >= 8
    assert not set(shown()) & set(Split("test").ids)
    assert "test split was opened" not in PAGE.read_text() + out
    assert "open review.html in a browser; then: lookbook relabel digits-labels.csv" in out
    first = PAGE.read_bytes()
    assert lookbook("review", "--most", 20)[0] == 0
    assert PAGE.read_bytes() == first


def test_what_was_decided_is_not_asked_again(flipped, lookbook):
    assert lookbook("review", "--most", 20)[0] == 0
    asked, index = shown(), Split("train").index()
    row = index[index["id"] == next(one for one in asked if one in flipped)].iloc[0]
    rows = [(row["id"], str(row["label"]), "keep", "")]
    write_labels("digits", pd.DataFrame(rows, columns=COLUMNS))
    assert lookbook("review", "--most", 20)[0] == 0
    assert row["id"] in asked
    assert row["id"] not in shown()


def test_test_pictures_come_on_request_and_it_is_said(processed, lookbook):
    code, out, err = lookbook("review", "pages/all.html", "--test", "--most", 400)
    assert code == 0, err
    text = Path("pages/all.html").read_text()
    said = "The test split was opened for this page"
    assert said in out
    assert said in text
    assert 'class="split test"' in text


def test_a_base_that_knows_the_set_is_refused(processed, lookbook, set_params):
    path = Path("data/bases/fashion_mnist_cnn.yaml")
    card = path.read_text()
    path.write_text(card.replace("[fashion_mnist]", "[fashion_mnist, digits]"))
    code, _, err = lookbook("review")
    assert code == 2
    assert "Received: fashion_mnist_cnn, which was trained on it." in err
    assert "Set train_transfer.base to another, such as photos." in err
    path.unlink()
    assert "Expected data/bases/fashion_mnist_cnn.yaml, which says" in lookbook("review")[2]
    assert not PAGE.exists()


def test_without_splits_or_with_no_suspect_wanted_there_is_a_sentence(project, lookbook):
    assert "Run `dvc repro preprocess`" in lookbook("review")[2]
    assert "Expected --most to be at least 1. Received: 0." in lookbook("review", "--most", 0)[2]
