"""Damaged files in DVC's cache and in the tree are found, each as one thing, and mended."""

import os
import shutil
from pathlib import Path

import pytest
from small_clone import LIST, MODEL, PACK, PREDICTIONS, SHARD, cached, is_up_to_date
from support import run

from lookbook.doctor.examining import examine

KEPT = [MODEL, PACK, SHARD, PREDICTIONS]


def change(path: Path, how) -> bytes:
    """Change a file behind DVC's back, with its old time; return what it held."""
    status, content = path.stat(), path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(how(content))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    path.chmod(status.st_mode)
    return content


def flipped(content: bytes) -> bytes:
    return content[:40] + bytes([content[40] ^ 4]) + content[41:]


def test_a_sound_clone_has_no_finding(found):
    assert found() == []
    assert found(repair=True) == []


def test_a_fresh_clone_has_no_finding(clone, found, tmp_path, monkeypatch):
    run("git", "clone", "-q", str(clone), str(tmp_path / "fresh"), cwd=tmp_path)
    monkeypatch.chdir(tmp_path / "fresh")
    assert found() == []


@pytest.mark.parametrize("path", KEPT)
def test_a_flipped_bit_in_a_cached_file_is_found_and_mended(found, path):
    place = cached(path)
    content = change(place, flipped)
    assert found() == [("cache", str(place), False)]
    assert found(repair=True) == [("cache", str(place), True)]
    assert place.read_bytes() == content
    assert found() == []


@pytest.mark.parametrize("path", KEPT)
def test_a_flipped_bit_in_the_tree_is_found_and_mended(found, path):
    content = change(Path(path), flipped)
    assert found() == [("tree", path, False)]
    assert found(repair=True) == [("tree", path, True)]
    assert Path(path).read_bytes() == content
    assert found() == []


@pytest.mark.parametrize("how", [lambda content: content[:100], lambda content: b""])
def test_a_cached_file_that_is_cut_off_or_empty(found, how):
    place = cached(MODEL)
    change(place, how)
    assert found(repair=True) == [("cache", str(place), True)]
    assert found() == []


@pytest.mark.parametrize("path", KEPT)
def test_a_cached_file_that_is_missing(found, path):
    place = cached(path)
    place.unlink()
    output = {SHARD: "data/processed", PREDICTIONS: "metrics/predictions", PACK: "data/own/pets"}
    where = output.get(path, path)
    assert found() == [("cache-missing", where, False)]
    assert found(repair=True) == [("cache-missing", where, True)]
    assert place.is_file()
    assert found() == []


def test_a_cached_file_that_cannot_be_read(found):
    place = cached(MODEL)
    place.unlink()
    place.symlink_to(place.name)  # what root cannot read either
    assert found() == [("cache", str(place), False)]
    assert found(repair=True) == [("cache", str(place), True)]
    assert found() == []


@pytest.mark.parametrize("damage", [flipped, None])
def test_the_cached_list_of_a_folder_is_made_again(found, damage):
    old = [p for p in Path(".dvc/cache").rglob("*.dir") if b"images" in p.read_bytes()]
    lock = Path("dvc.lock").read_text()
    (place,) = [path for path in old if path.parent.name + path.name in lock]
    content = place.read_bytes()
    if damage:
        change(place, damage)
        expected = ("cache", str(place))
    else:
        place.unlink()
        expected = ("cache-missing", "data/processed")
    assert found() == [(*expected, False)]
    assert found(repair=True) == [(*expected, True)]
    assert place.read_bytes() == content


def test_without_any_good_copy_a_stages_output_is_made_again(found):
    for place in (cached(MODEL), Path(MODEL)):
        change(place, flipped)
    kinds = [kind for kind, _, mended in found(repair=True) if mended]
    assert kinds == ["cache", "tree"]
    assert not Path(MODEL).exists()
    assert len(list(Path(".dvc/tmp/aside").iterdir())) >= 1  # nothing is lost
    run("dvc", "repro", "-q", cwd=Path())
    assert found() == []
    assert run("git", "status", "--short", cwd=Path()).stdout == ""


def test_the_last_copy_of_photos_is_named_and_never_taken_away(found):
    place, content = cached(PACK), Path(PACK).read_bytes()
    damaged = flipped(content)
    for path in (place, Path(PACK)):
        change(path, flipped)
    expected = [("cache", str(place), False), ("tree", PACK, False)]
    assert found() == expected
    assert found(repair=True) == expected
    assert Path(PACK).read_bytes() == place.read_bytes() == damaged


def test_a_pack_comes_back_from_the_remote(found, tmp_path):
    run("dvc", "remote", "add", "-q", "-d", "store", str(tmp_path / "store"), cwd=Path())
    run("dvc", "push", "-q", cwd=Path())
    content = Path(PACK).read_bytes()
    for path in (cached(PACK), Path(PACK)):
        change(path, flipped)
    assert [mended for *_, mended in found(repair=True)] == [True, True]
    assert Path(PACK).read_bytes() == content
    assert found() == []


def test_figures_that_were_edited_by_hand(found):
    path = Path("metrics/train_ann.json")
    content = path.read_text()
    path.write_text(content.replace("new", "better", 1))
    assert found() == [("tree", str(path), False)]
    assert found(repair=True) == [("tree", str(path), True)]
    assert path.read_text() == content


def test_a_model_that_was_replaced_by_an_older_one(found):
    content = Path(MODEL).read_bytes()
    os.utime(MODEL, (1, 1))
    change(Path(MODEL), lambda content: content.replace(b"new", b"old"))
    assert found() == [("tree", MODEL, False)]
    assert found(repair=True) == [("tree", MODEL, True)]
    assert Path(MODEL).read_bytes() == content
    assert is_up_to_date()


def test_a_pack_that_is_missing(found):
    content = Path(PACK).read_bytes()
    Path(PACK).unlink()
    assert found() == [("tree", PACK, False)]
    assert found(repair=True) == [("tree", PACK, True)]
    assert Path(PACK).read_bytes() == content


def test_a_file_that_belongs_to_nothing_is_put_aside_but_not_what_systems_leave(found):
    extra = Path("data/processed/train/more.npy")
    extra.write_bytes(b"more")
    (extra.parent / ".DS_Store").write_bytes(b"")
    assert found(repair=True) == [("tree", str(extra), True)]
    assert not extra.exists()
    assert [path.read_bytes() for path in Path(".dvc/tmp/aside").iterdir()] == [b"more"]


def add_row(content: str) -> str:
    row = content.splitlines()[1]
    return content + row.replace(row[:16], "0" * 16) + "\n"


def split_a_group(content: str) -> str:
    lines = content.splitlines(keepends=True)
    return "".join([lines[0], lines[1].replace(",train,", ",test,"), *lines[2:]])


@pytest.mark.parametrize(
    ("how", "words"),
    [(add_row, "has rows too many (1)"), (split_a_group, "the group 'g0' in two splits")],
)
def test_a_list_that_was_edited_says_how(clone, how, words):
    content = Path(LIST).read_text()
    Path(LIST).write_text(how(content))
    ((finding, _),) = examine(repair=False)
    assert (finding.kind, finding.where) == ("tree", LIST)
    assert words in finding.what
    ((_, mended),) = examine(repair=True)
    assert mended
    assert Path(LIST).read_text() == content
    shutil.rmtree(".dvc/cache")
    Path(LIST).write_text(how(content))
    assert not all(mended for _, mended in examine(repair=True))  # it is nowhere else


def test_an_add_that_was_cut_off_is_named_and_left_for_add_to_finish(found):
    path = Path(LIST)
    path.write_text(path.read_text().replace(",cat,", ",kitten,", 1))
    content = path.read_bytes()
    assert found() == [("unfinished", "data/own/pets", False)]
    assert found(repair=True) == [("unfinished", "data/own/pets", False)]
    assert path.read_bytes() == content


def test_a_folder_in_the_place_of_a_model_is_put_aside(found):
    content = Path(MODEL).read_bytes()
    Path(MODEL).unlink()
    Path(MODEL).mkdir()
    Path(MODEL, "note").write_text("precious")
    assert all(mended for *_, mended in found(repair=True))
    assert Path(MODEL).read_bytes() == content
    assert "precious" in [path.read_text() for path in Path(".dvc/tmp/aside").iterdir()]
    assert found() == []
