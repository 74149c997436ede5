"""preprocess.groups: near duplicates of a published set go to one split together."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support import picture, write_card, write_photos

from lookbook.foundation.files import sha256_of
from lookbook.pictures.batch import Fault
from lookbook.pictures.decoding import Form
from lookbook.preprocessing.assignment import Assignment
from lookbook.preprocessing.streaming import near_groups
from lookbook.readers.reading import Reading, index_of
from lookbook.splits.folds import groups_of
from lookbook.splits.spec import SPLITS, TEST, TRAIN, VALIDATION
from lookbook.splits.split import Split
from stages import preprocess

FORM = Form(16, 3, "stretch")


def reading(batches):
    count = sum(map(len, batches))
    names = [f"{row}.png" for row in range(count)]
    return Reading(index_of(names, [0] * count, [""] * count), iter(batches), [], channels=3)


def test_near_duplicates_share_a_number():
    batches = [[picture(0), picture(1)], [picture(2), picture(0, 40), picture(1, 30)]]
    numbers = near_groups(reading(batches), FORM)
    assert numbers[0] == numbers[3]
    assert numbers[1] == numbers[4]
    assert len(set(numbers.tolist())) == 3


def test_unreadable_pictures_are_alone():
    black = np.zeros((1, 16, 16, 3), np.uint8)
    batches = [[picture(0), b"", Fault("gone")], black, [b"no picture"]]
    numbers = near_groups(reading(batches), FORM)
    assert len(set(numbers.tolist())) == 5


def draw(labels, components, *, published=None, seed=42):
    index = pd.DataFrame(
        {
            "label": labels,
            "published": published or [""] * len(labels),
            "source": [f"{row}.png" for row in range(len(labels))],
        }
    )
    drawn = Assignment(
        index,
        ["cats", "dogs"],
        method="stratified",
        validation_size=0.2,
        test_size=0.2,
        seed=seed,
        components=np.asarray(components),
    )
    return drawn.splits_of(np.arange(len(labels)), [""] * len(labels))


LABELS = np.repeat([0, 1], 50)


def test_groups_are_drawn_together_in_shares_of_each_class():
    components = np.repeat(np.arange(50), 2)
    splits = draw(LABELS, components)
    assert (splits[::2] == splits[1::2]).all()
    for label in (0, 1):
        counts = np.bincount(splits[label == LABELS], minlength=3)
        assert counts[[TRAIN, VALIDATION, TEST]].tolist() == [30, 10, 10]


def test_the_draw_follows_its_seed():
    components = np.repeat(np.arange(50), 2)
    np.testing.assert_array_equal(draw(LABELS, components), draw(LABELS, components))
    assert (draw(LABELS, components) != draw(LABELS, components, seed=43)).any()


def test_published_test_pictures_stay():
    published = (["train"] * 4 + ["test"]) * 20
    splits = draw(LABELS, np.arange(100), published=published)
    np.testing.assert_array_equal(splits == TEST, np.array(published) == "test")
    assert (splits == VALIDATION).sum() == 16


@pytest.fixture
def twins(project, tmp_path_factory, set_params):
    """A published set of 30 cats and 30 dogs, each photo there at two sizes."""
    folder = write_photos(tmp_path_factory.mktemp("set"), {"cats": 30, "dogs": 30})
    for path in list(folder.rglob("*.png")):
        path.with_name(f"{path.stem}-large.png").write_bytes(picture(int(path.stem), 40))
    raw = Path("data/raw")
    raw.mkdir(parents=True)
    archive = Path(shutil.make_archive(str(raw / "twins"), "zip", folder))
    assert len(zipfile.ZipFile(archive).namelist()) > 120
    content = {"name": "twins.zip", "bytes": archive.stat().st_size, "sha256": sha256_of(archive)}
    write_card(
        "twins",
        {
            "title": "Twins",
            "licence": "none",
            "homepage": "none",
            "classes": ["cats", "dogs"],
            "files": [content],
            "source": {"kind": "mirror", "folder": "twins"},
            "reader": {"kind": "images", "channels": 3},
        },
    )
    return lambda groups: set_params(
        dataset="twins", **{"preprocess.image_size": 16, "preprocess.groups": groups}
    )


def split_of_each():
    tables = {name: Split(name).index()["source"] for name in SPLITS}
    return {source: name for name, sources in tables.items() for source in sources}


def parted(splits):
    """How many photos have their large copy in another split."""
    return sum(
        splits[name] != splits[name.replace(".png", "-large.png")]
        for name in splits
        if "-large" not in name
    )


def test_the_stage_keeps_near_duplicates_together_where_it_is_asked_to(twins, run_main):
    twins("near")
    code, err = run_main(preprocess.main)
    assert code == 0, err
    splits = split_of_each()
    assert len(splits) == 120
    assert parted(splits) == 0
    groups = groups_of(*map(Split, SPLITS))
    assert len(np.unique(groups)) == 60
    sources = np.concatenate([Split(name).index()["source"] for name in SPLITS])
    pairs = pd.Series(sources).str.replace("-large", "").groupby(groups)
    assert (pairs.nunique() == 1).all()
    counts = pd.Series(splits).value_counts().to_dict()
    assert counts == {"train": 72, "validation": 24, "test": 24}
    twins("none")
    code, err = run_main(preprocess.main)
    assert code == 0, err
    assert parted(split_of_each()) > 10


def test_another_kind_of_group_has_a_sentence(twins, run_main):
    twins("far")
    code, err = run_main(preprocess.main)
    assert code == 2
    assert "preprocess.groups" in err
    assert "'far'" in err or "far" in err
