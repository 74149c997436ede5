"""Packs that only grow, and the list that says what is in them."""

import random
import zipfile

import pandas as pd
import pytest

from lookbook.datasets import packs
from lookbook.datasets.packs import (
    COLUMNS,
    forget_unlisted,
    list_file,
    members_unlisted,
    read_list,
    read_packed,
    set_folder,
    write_list,
    write_notes,
    write_packs,
)
from lookbook.foundation.errors import LookbookError

CONTENT = [(f"{i:016x}.png", bytes([i]) * 40) for i in range(5)]


def table(*rows):
    return pd.DataFrame([dict.fromkeys(COLUMNS, "") | row for row in rows], columns=COLUMNS)


def test_a_set_has_a_folder_of_its_name():
    assert set_folder("pets").as_posix() == "data/own/pets"


def test_photos_fill_packs_up_to_their_size(tmp_path, monkeypatch):
    monkeypatch.setattr(packs, "PACK_BYTES", 100)
    placed = list(write_packs(tmp_path, CONTENT))
    assert [photo.pack for photo in placed] == [
        "00000.zip",
        "00000.zip",
        "00001.zip",
        "00001.zip",
        "00002.zip",
    ]
    assert [photo.member for photo in placed] == [name for name, _ in CONTENT]
    with zipfile.ZipFile(tmp_path / "00001.zip") as archive:
        assert [(info.filename, info.compress_type) for info in archive.infolist()] == [
            (CONTENT[2][0], zipfile.ZIP_STORED),
            (CONTENT[3][0], zipfile.ZIP_STORED),
        ]
        assert archive.read(CONTENT[3][0]) == CONTENT[3][1]


def test_a_photo_larger_than_a_pack_has_one_to_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(packs, "PACK_BYTES", 30)
    assert [photo.pack for photo in write_packs(tmp_path, CONTENT[:3])] == [
        "00000.zip",
        "00001.zip",
        "00002.zip",
    ]


def test_new_packs_stand_beside_the_old_ones(tmp_path):
    list(write_packs(tmp_path, CONTENT[:3]))
    before = (tmp_path / "00000.zip").read_bytes()
    assert [photo.pack for photo in write_packs(tmp_path, CONTENT[3:])] == ["00001.zip"] * 2
    assert (tmp_path / "00000.zip").read_bytes() == before


def test_no_photos_make_no_pack(tmp_path):
    assert list(write_packs(tmp_path, [])) == []
    assert list(tmp_path.iterdir()) == []


def test_a_pack_has_the_same_bytes_whenever_it_is_written(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    list(write_packs(tmp_path / "a", CONTENT))
    monkeypatch.setattr(packs.zipfile.time, "time", lambda: 2e9)
    list(write_packs(tmp_path / "b", iter(CONTENT)))
    assert (tmp_path / "a/00000.zip").read_bytes() == (tmp_path / "b/00000.zip").read_bytes()


def test_a_pack_is_whole_or_absent(tmp_path):
    def contents():
        yield CONTENT[0]
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        list(write_packs(tmp_path, contents()))
    assert list(tmp_path.iterdir()) == []


def test_the_list_is_read_as_it_was_written(tmp_path):
    rows = table(
        {"id": "0" * 16, "name": 'NA/null, "x"\u202f.png', "class": "NA", "split": "train"},
        {"id": "1" * 16, "name": " é🐈.png", "class": "007", "group": "null", "split": "test"},
    )
    write_list(tmp_path, rows)
    pd.testing.assert_frame_equal(read_list(tmp_path), rows)
    content = (tmp_path / "list.csv").read_bytes()
    assert content.startswith(b"id,name,class,group,alike,split,pack,member\n")
    assert b"\r" not in content


def test_the_card_knows_the_list_by_its_hash(tmp_path):
    (tmp_path / "list.csv").write_bytes(b"abc")
    assert list_file(tmp_path) == {
        "name": "list.csv",
        "bytes": 3,
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    }


def test_a_missing_list_says_how_to_have_it(tmp_path):
    with pytest.raises(LookbookError, match=r"Run `dvc pull .*pets\.dvc` if somebody pushed them"):
        read_list(tmp_path / "pets")


@pytest.mark.parametrize(
    ("content", "received"),
    [
        (b"", "No columns"),
        (b"id,name\n1,2\n", "the columns id, name"),
        (b"id,name,class,group,alike,split,pack,member\n1,a,b,,,,\n1,c,d,,,,\n", "1 twice"),
        (
            b"id,name,class,group,alike,split,pack,member\n1,a,b,,,,,,,\n1,2\n1,2,3,4,5,6,7,8,9\n",
            "",
        ),
        (b"id,name,class,group,alike,split,pack,member\n\xff,a,b,,,,\n", "codec can't decode"),
        (
            b"id,name,class,group,alike,split,pack,member\n<<<<<<< HEAD\n1,a,b,,,,,\n=======\n",
            "<<<<<<< HEAD",
        ),
        (
            b"id,name,class,group,alike,split,pack,member\n1,a,b,,,,../../x.zip,m\n",
            "the pack '../../x.zip'",
        ),
        (b"id,name,class,group,alike,split,pack,member\n1,a,b,,,,/etc/x,m\n", "pack '/etc/x'"),
    ],
)
def test_a_damaged_list_says_how_to_have_it_back(tmp_path, content, received):
    (tmp_path / "list.csv").write_bytes(content)
    with pytest.raises(LookbookError) as error:
        read_list(tmp_path)
    assert "Expected the columns id, name, class, group, alike, split, pack, member in" in str(
        error.value
    )
    assert received in str(error.value)
    assert f"Run `dvc checkout {tmp_path}.dvc` to bring it back." in str(error.value)


def test_photos_are_read_from_their_packs_in_the_order_of_the_list(tmp_path, monkeypatch):
    monkeypatch.setattr(packs, "PACK_BYTES", 100)
    placed = list(write_packs(tmp_path, CONTENT))
    rows = table(*({"pack": photo.pack, "member": photo.member} for photo in placed))
    assert list(read_packed(tmp_path, rows)) == [content for _, content in CONTENT]
    assert list(read_packed(tmp_path, rows.iloc[[1, 4]])) == [CONTENT[1][1], CONTENT[4][1]]


def test_what_cannot_be_read_is_told_in_its_place(tmp_path, monkeypatch):
    monkeypatch.setattr(packs, "PACK_BYTES", 100)
    placed = list(write_packs(tmp_path, CONTENT))
    rows = table(*({"pack": photo.pack, "member": photo.member} for photo in placed))
    rows.loc[1, "member"] = "unknown.png"
    damaged = bytearray((tmp_path / "00001.zip").read_bytes())
    damaged[damaged.index(CONTENT[2][1])] ^= 1
    (tmp_path / "00001.zip").write_bytes(damaged)
    (tmp_path / "00002.zip").write_bytes(b"no archive")
    assert list(read_packed(tmp_path, rows)) == [
        CONTENT[0][1],
        "damaged in its pack",
        "damaged in its pack",
        CONTENT[3][1],
        "its pack 00002.zip is missing or damaged",
    ]
    (tmp_path / "00000.zip").unlink()
    missing = "its pack 00000.zip is missing or damaged"
    assert list(read_packed(tmp_path, rows))[:2] == [missing, missing]


def test_what_no_row_names_is_forgotten(tmp_path):
    list(write_packs(tmp_path, CONTENT))
    list(write_packs(tmp_path, CONTENT))
    rows = table({"id": "1", "pack": "00000.zip"})
    write_list(tmp_path, rows)
    write_notes(tmp_path, {"a.txt": "not a picture's name"})
    (tmp_path / ".partial-00002.zip").write_bytes(b"half")
    forget_unlisted(tmp_path, rows)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "00000.zip",
        "list.csv",
        "notes.csv",
    ]
    assert (tmp_path / "notes.csv").read_text() == "name,note\na.txt,not a picture's name\n"


def test_notes_may_speak_of_names_that_are_no_text(tmp_path):
    write_notes(tmp_path, {"cats/\udcff.jpg": "a name with control characters"})
    assert b"a name with control characters" in (tmp_path / "notes.csv").read_bytes()


def test_every_flipped_bit_of_a_pack_is_told_or_harmless(tmp_path):
    photos = [(f"{number}.jpg", bytes(range(number, number + 99))) for number in range(9)]
    rows = table(*(photo._asdict() for photo in write_packs(tmp_path, photos)))
    pack, rng = tmp_path / "00000.zip", random.Random(0)
    whole = pack.read_bytes()
    for _ in range(1000):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        pack.write_bytes(damaged)
        for received, (_, sent) in zip(read_packed(tmp_path, rows), photos, strict=True):
            assert received == sent or isinstance(received, str)


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_a_damaged_pack_stops_a_purge_with_a_sentence(tmp_path, content):
    (tmp_path / "00000.zip").write_bytes(content)
    with pytest.raises(LookbookError, match="Expected the pack .*00000.zip. Received: "):
        members_unlisted(tmp_path, table({"pack": "00000.zip", "member": "a.jpg"}))
