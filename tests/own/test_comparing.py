"""A set against the places that it came from."""

import os
import shutil
from pathlib import Path

import pytest
from support import picture, write_photos

from lookbook.foundation.errors import LookbookError
from lookbook.own import comparing, examining
from lookbook.own.comparing import compare
from lookbook.own.scanning import Columns


@pytest.fixture
def taken(photos, add):
    """The folder `photos`, after it was taken into the set `pets`."""
    add(photos)
    return photos


@pytest.fixture
def reads(monkeypatch):
    """The names of the photos whose files are read from now on."""
    names = []
    original = comparing.read_file
    for module in (comparing, examining):
        monkeypatch.setattr(
            module, "read_file", lambda photo: names.append(photo.name) or original(photo)
        )
    return names


def test_nothing_has_changed(taken):
    found = compare("pets", [])
    assert found.differences() == {}
    assert found.same == 20
    assert found.left_out == []


def test_each_difference_is_named(taken):
    write_photos(taken, {"cats": 1}, first=100)
    (taken / "cats/1.png").write_bytes(picture(101))
    (taken / "cats/2.png").rename(taken / "cats/tom.png")
    (taken / "dogs/10.png").unlink()
    (taken / "notes.txt").write_text("holiday")
    found = compare("pets", [])
    assert found.differences() == {
        "new": ["cats/100.png"],
        "changed": ["cats/1.png"],
        "renamed": ["cats/2.png is cats/tom.png"],
        "gone": ["dogs/10.png"],
    }
    assert found.same == 18
    assert found.left_out == [("notes.txt", "not a picture's name")]


def test_files_that_are_as_they_were_are_not_read_again(taken, add, reads):
    compare("pets", [])
    add()
    assert reads == []
    (taken / "cats/1.png").write_bytes(picture(101))
    os.utime(taken / "cats/2.png", (1e9, 1e9))
    assert compare("pets", []).changed == ["cats/1.png"]
    assert sorted(reads) == ["cats/1.png", "cats/2.png"]
    compare("pets", [])
    assert len(reads) == 2


def test_the_first_look_reads_each_file_twice_and_no_more(photos, add, reads, monkeypatch):
    from lookbook.own import adding

    monkeypatch.setattr(adding, "read_file", examining.read_file)
    add(photos)
    assert len(reads) == 40


def test_another_place_may_be_named(taken):
    more = shutil.copytree(taken, taken.with_name("more"))
    write_photos(more, {"dogs": 1}, first=100)
    shutil.rmtree(taken)
    assert compare("pets", [str(more)]).differences() == {"new": ["dogs/100.png"]}


def test_an_archive_is_compared_too(taken):
    write_photos(taken, {"dogs": 1}, first=100)
    (taken / "cats/1.png").write_bytes(picture(101))
    archive = shutil.make_archive(str(taken), "zip", taken)
    assert compare("pets", [archive]).differences() == {
        "new": ["dogs/100.png"],
        "changed": ["cats/1.png"],
    }


def test_places_with_the_same_names_do_not_hide_each_other(taken, add):
    more = write_photos(taken.with_name("more"), {"cats": 2, "dogs": 2}, first=100)
    for path in more.rglob("*.png"):  # as cameras count
        path.rename(path.with_name(f"{int(path.stem) % 100}.png"))
    add(more)
    found = compare("pets", [])
    assert found.differences() == {}
    assert found.same == 24
    (taken / "cats/0.png").write_bytes(picture(200))  # more/cats/0.png is there as well
    assert compare("pets", []).changed == ["cats/0.png"]


def test_a_list_whose_columns_were_named_is_compared_too(photos, add):
    rows = [f"{p.parent.name}/{p.name},{p.parent.name}" for p in sorted(photos.rglob("*.png"))]
    (photos / "labels.csv").write_text("\n".join(["bild,klasse", *rows]))
    add(photos / "labels.csv", columns=Columns("bild", "klasse"))
    (photos / "cats/1.png").write_bytes(picture(101))
    assert compare("pets", []).changed == ["cats/1.png"]


def test_what_was_left_out_is_not_new_for_ever(photos, add):
    (photos / "cats/half.png").write_bytes(picture(100)[:200])
    add(photos)
    found = compare("pets", [])
    assert found.new == []
    assert [name for name, _ in found.left_out] == ["cats/half.png"]


def test_a_place_that_is_gone_has_a_sentence(taken):
    taken.rename(taken.with_name("moved"))
    with pytest.raises(LookbookError, match="Received: none of them on this machine"):
        compare("pets", [])


def test_an_unknown_set_lists_those_that_there_are(taken):
    with pytest.raises(LookbookError, match="a set of your own: pets. Received: 'pest'. Make it"):
        compare("pest", [])
    with pytest.raises(LookbookError, match="Received: 'digits', which data/cards/digits.yaml has"):
        compare("digits", [])
    assert not Path("data/own/pest").exists()
