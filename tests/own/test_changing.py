"""Withdraw photos; rename, merge and order classes."""

import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from support import (
    check_consistent,
    listed,
    packed,
    picture,
    read_card,
    write_photos,
)

from lookbook.datasets import packs
from lookbook.foundation.errors import LookbookError
from lookbook.own import changing
from lookbook.own.changing import change_classes, remove


@pytest.fixture
def taken(photos, add, monkeypatch):
    """The folder `photos`, after it was taken into the set `pets`, in packs of a few photos."""
    monkeypatch.setattr(packs, "PACK_BYTES", 6000)
    add(photos)
    assert len(packed()) > 4
    return photos


def everything():
    paths = [*Path("data/own/pets").iterdir(), Path("data/cards/pets.yaml")]
    return {path: path.read_bytes() for path in paths}


def held():
    """The members of all packs of the set."""
    found = set()
    for path in Path("data/own/pets").glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            found |= set(archive.namelist())
    return found


def test_a_photo_is_withdrawn_and_its_pack_stays(taken):
    before, content = listed(), packed()
    removed = remove("pets", ["cats/3.png"], purge=False)
    assert removed.names == ["cats/3.png"]
    assert removed.packs == 0
    expected = before[before["name"] != "cats/3.png"].reset_index(drop=True)
    pd.testing.assert_frame_equal(listed(), expected)
    assert packed() == content
    assert read_card("pets")["counts"] == {"cats": 9, "dogs": 10}
    check_consistent()


def test_photos_are_named_in_several_ways(taken, tmp_path_factory):
    photo = listed().set_index("name").at["dogs/11.png", "id"]
    words = tmp_path_factory.mktemp("lists") / "withdrawn.txt"
    words.write_text(f"dogs/10.png\n\n  {photo}  \n")
    removed = remove("pets", ["cats/[12].png", str(words), "cats/0*"], purge=False)
    assert removed.names == ["cats/0.png", "cats/1.png", "cats/2.png", "dogs/10.png", "dogs/11.png"]
    assert len(listed()) == 15
    check_consistent()


def test_a_name_with_brackets_is_a_name_too(taken, add):
    (taken / "cats/a[1].png").write_bytes(picture(100))
    add()
    assert remove("pets", ["cats/a[1].png"], purge=False).names == ["cats/a[1].png"]


def test_a_purge_takes_the_bytes_out(taken):
    before, content = listed(), packed()
    row = before.set_index("name").loc["cats/3.png"]
    bytes_of_it = (taken / "cats/3.png").read_bytes()
    assert bytes_of_it in content[row["pack"]]
    removed = remove("pets", ["cats/3.png"], purge=True)
    assert removed.packs == 1
    assert row["pack"] not in packed()
    assert not any(bytes_of_it in pack for pack in packed().values())
    kept = before[before["name"] != "cats/3.png"]
    columns = ["id", "name", "class", "group", "split", "member"]
    pd.testing.assert_frame_equal(
        listed().sort_values("id")[columns].reset_index(drop=True),
        kept.sort_values("id")[columns].reset_index(drop=True),
    )
    for name in set(content) - {row["pack"]}:
        assert packed()[name] == content[name]
    check_consistent()


def test_a_purge_may_empty_a_pack(taken):
    first = listed()[listed()["pack"] == "00000.zip"]
    removed = remove("pets", first["id"].tolist(), purge=True)
    assert removed.packs == 1
    assert "00000.zip" not in packed()
    assert not held() & set(first["member"])
    check_consistent()


def test_what_was_withdrawn_before_can_be_purged_later(taken):
    photo = listed().set_index("name").loc["cats/3.png"]
    remove("pets", ["cats/3.png"], purge=False)
    assert photo["member"] in held()
    remove("pets", [photo["id"]], purge=True)
    assert photo["member"] not in held()


def test_a_set_grows_on_after_a_purge(taken, add):
    remove("pets", ["cats/3.png", "dogs/*5.png"], purge=True)
    (taken / "cats/3.png").unlink()
    (taken / "dogs/15.png").unlink()
    before = dict(zip(listed()["id"], listed()["split"], strict=True))
    write_photos(taken, {"cats": 3}, first=100)
    add()
    after = dict(zip(listed()["id"], listed()["split"], strict=True))
    assert len(after) == 21
    assert {photo: after[photo] for photo in before} == before
    check_consistent()


def test_a_whole_class_may_go(taken, add):
    write_photos(taken, {"birds": 3}, first=100)
    add()
    assert read_card("pets")["classes"] == ["cats", "dogs", "birds"]
    remove("pets", ["cats/*"], purge=False)
    assert read_card("pets")["classes"] == ["dogs", "birds"]
    check_consistent()


@pytest.mark.parametrize(
    ("patterns", "sentence"),
    [
        (["cats/99.png"], "Received: 'cats/99.png', which fits none."),
        (["cats/1.png", "bats/*"], "Received: 'bats/*', which fits none."),
        (["cats/[0-7].png"], "Received: 2 of 'cats' would."),
        (["cats/*"], "Expected at least two classes of 3 photos to stay."),
        (["*"], "Expected at least two classes of 3 photos to stay."),
    ],
)
@pytest.mark.parametrize("purge", [False, True])
def test_what_cannot_be_withdrawn_has_a_sentence(taken, patterns, sentence, purge):
    before = everything()
    with pytest.raises(LookbookError) as error:
        remove("pets", patterns, purge=purge)
    assert sentence in str(error.value)
    assert everything() == before


def test_a_picture_in_place_of_a_list_has_a_sentence(taken):
    before = everything()
    with pytest.raises(LookbookError):
        remove("pets", [str(taken / "cats/3.png")], purge=False)
    assert everything() == before


def test_a_damaged_pack_stops_a_purge(taken):
    table = listed()
    pack = table.at[0, "pack"]
    others = table[table["pack"] == pack]
    assert len(others) > 1
    path = Path("data/own/pets", pack)
    damaged = bytearray(path.read_bytes())
    content = (taken / others["name"].iloc[1]).read_bytes()
    damaged[damaged.index(content) + 50] ^= 1
    path.write_bytes(damaged)
    before = everything()
    with pytest.raises(LookbookError) as error:
        remove("pets", [table.at[0, "id"]], purge=True)
    assert f"Expected {others['member'].iloc[1]} in {pack}. Received: damaged in its pack." in str(
        error.value
    )
    assert everything() == before


def test_a_set_that_is_not_there_has_a_sentence(project):
    for call in (
        lambda: remove("pets", ["*"], purge=False),
        lambda: change_classes("pets", rename=[("a", "b")], merge=[], order=[]),
    ):
        with pytest.raises(LookbookError, match="there is none yet. Received: 'pets'. Make it"):
            call()


# Classes


def change(rename=(), merge=(), order=()):
    return change_classes("pets", rename=list(rename), merge=list(merge), order=list(order))[0]


@pytest.fixture
def zoo(photos, add):
    """A set of cats, dogs, kittens and wolves, in this order, from the folder `photos`."""
    write_photos(photos, {"kittens": 5, "wolves": 4}, first=50)
    add(photos)
    assert read_card("pets")["classes"] == ["cats", "dogs", "kittens", "wolves"]
    return photos


def test_a_class_that_is_renamed_keeps_its_label_number(zoo):
    before = listed()
    assert change(rename=[("cats", "felines")]) == ["felines", "dogs", "kittens", "wolves"]
    assert read_card("pets")["classes"] == ["felines", "dogs", "kittens", "wolves"]
    assert read_card("pets")["counts"]["felines"] == 10
    assert read_card("pets")["source"]["aliases"] == {"cats": "felines"}
    expected = before.assign(**{"class": before["class"].replace("cats", "felines")})
    pd.testing.assert_frame_equal(listed(), expected)
    check_consistent()


def test_classes_that_are_merged_have_the_first_ones_number(zoo):
    assert change(merge=[(["kittens", "cats"], "cats")]) == ["cats", "dogs", "wolves"]
    assert read_card("pets")["counts"] == {"cats": 15, "dogs": 10, "wolves": 4}
    assert read_card("pets")["source"]["aliases"] == {"kittens": "cats"}
    assert change(merge=[(["dogs", "wolves"], "canines")]) == ["cats", "canines"]
    assert read_card("pets")["counts"] == {"cats": 15, "canines": 14}
    check_consistent()


def test_classes_have_the_order_that_is_asked_for(zoo):
    order = ["wolves", "cats", "kittens", "dogs"]
    before = (Path("data/own/pets/list.csv").read_bytes(), packed())
    assert change(order=order) == order
    assert read_card("pets")["classes"] == order
    assert (Path("data/own/pets/list.csv").read_bytes(), packed()) == before
    check_consistent()


def test_all_three_at_once(zoo):
    received = change(
        rename=[("wolves", "wild")],
        merge=[(["kittens", "cats"], "felines")],
        order=["wild", "felines", "dogs"],
    )
    assert received == ["wild", "felines", "dogs"]


def test_the_old_folder_is_understood(zoo, add):
    change(rename=[("cats", "felines")], merge=[(["dogs", "wolves"], "canines")])
    before = listed()
    planned = add()
    assert not planned.changes
    assert planned.relabelled == []
    write_photos(zoo, {"cats": 1, "wolves": 1, "felines": 1}, first=100)
    add()
    pd.testing.assert_frame_equal(listed().iloc[: len(before)], before)
    names = dict(zip(listed()["name"], listed()["class"], strict=True))
    assert names["cats/100.png"] == names["felines/102.png"] == "felines"
    assert names["wolves/101.png"] == "canines"
    assert read_card("pets")["classes"] == ["felines", "canines", "kittens"]


def test_names_follow_each_other(zoo, add):
    change(rename=[("cats", "felines")])
    change(rename=[("felines", "tigers")])
    change(merge=[(["tigers", "kittens"], "soft")])
    assert not add().changes
    change(rename=[("soft", "cats")])
    planned = add()
    assert not planned.changes
    assert read_card("pets")["classes"] == ["cats", "dogs", "wolves"]


def test_two_classes_may_change_their_names(zoo, add):
    change(rename=[("cats", "x"), ("dogs", "cats"), ("x", "dogs")])
    assert read_card("pets")["classes"] == ["dogs", "cats", "kittens", "wolves"]
    names = dict(zip(listed()["name"], listed()["class"], strict=True))
    assert names["cats/0.png"] == "dogs"
    assert not add().changes


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rename": [("bats", "x")]}, "a class of pets: cats, dogs, kittens, wolves. Received: 'b"),
        ({"merge": [(["cats", "bats"], "x")]}, "Received: 'bats'."),
        ({"rename": [("cats", "dogs")]}, "To make one of both: lookbook classes pets --merge cats"),
        ({"rename": [("cats", "None of these")]}, "what is said of pictures of no class"),
        ({"rename": [("cats", "a\nb")]}, "1 to 100 printable characters"),
        ({"rename": [("cats", " ")]}, "Received: nothing."),
        ({"order": ["cats", "dogs"]}, "Expected all classes after --order: cats, dogs, kittens, w"),
        ({"order": ["cats", "cats", "dogs", "kittens", "wolves"]}, "Expected all classes after"),
        ({"merge": [(["cats", "dogs", "kittens", "wolves"], "all")]}, "at least two classes"),
        ({"rename": [("cats", "Dogs")]}, "'Dogs'"),
    ],
)
def test_each_wrong_change_has_a_sentence(zoo, changes, sentence):
    before = everything()
    with pytest.raises(LookbookError) as error:
        change(**changes)
    assert sentence in str(error.value)
    assert everything() == before


def test_a_change_that_is_cut_off_keeps_label_numbers_and_names(zoo, add, monkeypatch):
    def killed(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(changing, "bring_together", killed)
        with pytest.raises(KeyboardInterrupt):
            change(rename=[("cats", "felines")])
    more = write_photos(zoo.with_name("more"), {"kittens": 1, "dogs": 1}, first=100)
    add(more)
    check_consistent()
    assert read_card("pets")["classes"][1:] == ["dogs", "kittens", "wolves"]
    assert read_card("pets")["classes"][0] in ("cats", "felines")


def test_the_packs_are_not_here(zoo):
    shutil.rmtree("data/own/pets")
    with pytest.raises(LookbookError, match=r"Run `dvc pull data/own/pets\.dvc`"):
        change(rename=[("cats", "felines")])
    with pytest.raises(LookbookError, match=r"Run `dvc pull data/own/pets\.dvc`"):
        remove("pets", ["cats/1.png"], purge=True)
