"""Taking photos in: newcomers, photos that are known, splits that stay, faults that leave all."""

import errno
import io
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support import check_consistent, listed, packed, picture, read_card, write_photos

from lookbook.datasets import packs
from lookbook.datasets.cards import card_path
from lookbook.datasets.writing import write_card
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.schema import Choice
from lookbook.own import adding
from lookbook.own.adding import apply
from lookbook.own.scanning import Columns, Grouping
from lookbook.splits.spec import SPLITS, read_spec
from lookbook.splits.split import Split
from stages import download, preprocess


def split_of(table=None):
    """The split of each photo by its id."""
    table = listed() if table is None else table
    return dict(zip(table["id"], table["split"], strict=True))


def split_of_name():
    return dict(zip(listed()["name"], listed()["split"], strict=True))


def test_a_new_set(photos, add):
    planned = add(photos)
    check_consistent()
    table = listed()
    assert table["name"].tolist() == [
        *(f"cats/{name}.png" for name in sorted(map(str, range(10)))),
        *(f"dogs/{seed}.png" for seed in range(10, 20)),
    ]
    assert (table["group"] == "").all()
    assert table.groupby(["class", "split"]).size().to_dict() == {
        ("cats", "train"): 6,
        ("cats", "validation"): 2,
        ("cats", "test"): 2,
        ("dogs", "train"): 6,
        ("dogs", "validation"): 2,
        ("dogs", "test"): 2,
    }
    assert planned.bytes == sum(path.stat().st_size for path in photos.rglob("*.png"))
    card = read_card("pets")
    assert card["classes"] == ["cats", "dogs"]
    assert card["counts"] == {"cats": 10, "dogs": 10}
    assert card["splits"] == {"train": 12, "validation": 4, "test": 4}
    assert card["reader"] == {"kind": "packs", "channels": 3}
    assert card["flips"] is True
    assert card["source"] == {
        "kind": "own",
        "places": [str(photos)],
        "validation_size": 0.2,
        "test_size": 0.2,
    }


def test_the_same_photos_make_the_same_set_whatever_their_names_and_times(photos, add):
    add(photos)
    table, content = listed(), packed()
    moved = photos.with_name("elsewhere")
    for path in photos.rglob("*.png"):
        os.utime(path, (1e9, 1e9))
    photos.rename(moved)
    add(moved, dataset="others")
    pd.testing.assert_frame_equal(listed("others"), table)
    assert packed("others") == content


def test_grey_photos_stay_grey(tmp_path_factory, add):
    folder = tmp_path_factory.mktemp("grey")
    add(write_photos(folder, {"a": 3, "b": 3}, grey=True))
    assert read_card("pets")["reader"]["channels"] == 1
    assert read_card("pets")["flips"] is False


def test_again_nothing_changes(photos, add):
    add(photos)
    before = {path: path.read_bytes() for path in Path("data").rglob("*") if path.is_file()}
    for places in ([photos], []):
        planned = add(*places)
        assert not planned.changes
        assert planned.known == 20
        assert planned.bytes == 0
    assert {path: path.read_bytes() for path in Path("data").rglob("*") if path.is_file()} == before


def test_a_dry_run_leaves_all_as_it_was(photos, add):
    before = sorted(Path().rglob("*"))
    planned = add(photos, dry=True)
    assert planned.changes
    assert len(planned.newcomers) == 20
    assert sorted(Path().rglob("*")) == before


def test_newcomers_are_appended_in_packs_of_their_own(photos, add):
    add(photos)
    table, content = listed(), packed()
    write_photos(photos, {"cats": 2, "dogs": 1}, first=100)
    planned = add()
    assert (planned.known, len(planned.newcomers)) == (20, 3)
    pd.testing.assert_frame_equal(listed().iloc[:20], table)
    assert listed()["pack"].tolist() == ["00000.zip"] * 20 + ["00001.zip"] * 3
    assert packed()["00000.zip"] == content["00000.zip"]
    check_consistent()


def test_new_classes_come_last(photos, add):
    add(photos)
    write_photos(photos, {"ants": 3, "zebras": 3, "bees": 3}, first=100)
    add()
    assert read_card("pets")["classes"] == ["cats", "dogs", "ants", "bees", "zebras"]
    for name in ("ants", "bees", "zebras"):
        of_class = listed().loc[listed()["class"] == name, "split"]
        assert sorted(of_class) == ["test", "train", "validation"]


def test_other_places_are_added_to_the_card(photos, add):
    add(photos)
    more = write_photos(photos.with_name("more"), {"cats": 1, "dogs": 1}, first=100)
    archive = shutil.make_archive(str(more), "zip", more)
    write_photos(more, {"cats": 1}, first=200)
    add(more, archive)
    assert read_card("pets")["source"]["places"] == [str(photos), str(more), archive]
    assert len(listed()) == 23
    photos.rename(photos.with_name("not here"))
    add(more)
    assert read_card("pets")["source"]["places"] == [str(photos), str(more), archive]
    check_consistent()


def test_what_was_edited_on_the_card_stays(photos, add):
    add(photos)
    path = card_path("pets")
    text = path.read_text().replace("- cats\n  - dogs", "- dogs # first\n  - cats")
    title = "title: 'The pets of our street' # all of them"
    path.write_text(text.replace("title: pets, pictures of our own", title))
    write_photos(photos, {"cats": 1}, first=100)
    add()
    assert read_card("pets")["classes"] == ["dogs", "cats"]
    assert read_card("pets")["counts"] == {"dogs": 10, "cats": 11}
    assert title in path.read_text()
    assert "- dogs # first" in path.read_text()


def test_a_renamed_photo_is_recognised(photos, add):
    add(photos)
    before, content = split_of(), packed()
    (photos / "cats/0.png").rename(photos / "cats/tom.png")
    planned = add()
    assert planned.renamed == [("cats/0.png", "cats/tom.png")]
    assert planned.relabelled == []
    assert "cats/tom.png" in listed()["name"].tolist()
    assert "cats/0.png" not in listed()["name"].tolist()
    assert split_of() == before
    assert packed() == content
    assert add().renamed == []


def test_a_copy_under_another_name_is_no_renaming(photos, add):
    add(photos)
    shutil.copy(photos / "cats/0.png", photos / "cats/copy.png")
    planned = add()
    assert not planned.changes
    assert planned.renamed == []


def test_a_photo_in_another_class_folder_is_relabelled(photos, add):
    add(photos)
    before = split_of()
    (photos / "cats/0.png").rename(photos / "dogs/0.png")
    planned = add()
    assert planned.relabelled == [("dogs/0.png", "cats", "dogs")]
    table = listed().set_index("name")
    assert table.at["dogs/0.png", "class"] == "dogs"
    assert split_of() == before
    assert read_card("pets")["counts"] == {"cats": 9, "dogs": 11}
    check_consistent()


def test_a_new_photo_of_two_classes_is_left_out(photos, add):
    for name in ("cats", "dogs"):
        (photos / name / "both.png").write_bytes(picture(100))
    planned = add(photos)
    reason = "of two classes: cats and dogs"
    assert planned.left_out == [("cats/both.png", reason), ("dogs/both.png", reason)]
    assert len(listed()) == 20
    notes = pd.read_csv("data/own/pets/notes.csv")
    assert notes["name"].tolist() == ["cats/both.png", "dogs/both.png"]
    assert notes["note"].tolist() == [reason, reason]


def test_a_known_photo_that_is_in_two_classes_now_stays_and_is_named(photos, add):
    add(photos)
    before = listed()
    shutil.copy(photos / "cats/0.png", photos / "dogs/0.png")
    planned = add()
    assert {name for name, _ in planned.left_out} == {"cats/0.png", "dogs/0.png"}
    pd.testing.assert_frame_equal(listed(), before)


def test_exact_duplicates_are_taken_in_once(photos, add):
    shutil.copy(photos / "cats/1.png", photos / "cats/again.png")
    planned = add(photos)
    assert planned.left_out == [("cats/again.png", "the same as cats/1.png")]
    assert len(listed()) == 20
    check_consistent()


def test_pictures_that_cannot_be_decoded_are_left_out(photos, add):
    (photos / "cats/empty.png").write_bytes(b"")
    (photos / "cats/half.png").write_bytes(picture(100)[:200])
    (photos / "dogs/text.jpg").write_text("no picture")
    (photos / "dogs/notes.txt").write_text("holiday")
    planned = add(photos)
    assert sorted(planned.left_out) == [
        ("cats/empty.png", "empty"),
        ("cats/half.png", "truncated or damaged"),
        ("dogs/notes.txt", "not a picture's name"),
        ("dogs/text.jpg", "not a picture"),
    ]
    assert len(listed()) == 20


@pytest.mark.parametrize("kind", ["AVIF", "WEBP", "JPEG", "GIF", "BMP"])
def test_formats_of_today_are_taken_in(photos, add, kind):
    name = f"new.{kind.lower()}"
    (photos / "cats" / name).write_bytes(picture(100, kind=kind))
    add(photos)
    row = listed().set_index("name").loc[f"cats/{name}"]
    assert row["member"] == f"{row['id']}.{kind.lower()}"


def test_classes_that_yaml_or_pandas_would_misread(tmp_path_factory, add):
    names = ["no", "1e3", "NA", "null", "007", "a: b", "#1", "Löwe 🐈"]
    folder = write_photos(tmp_path_factory.mktemp("home"), dict.fromkeys(names, 3))
    add(folder)
    assert read_card("pets")["classes"] == sorted(names)
    assert set(listed()["class"]) == set(names)
    assert not add().changes
    check_consistent()


# Splits and groups


def test_growth_moves_nothing_that_was_there(photos, add, set_params, run_main, monkeypatch):
    monkeypatch.setattr("lookbook.splits.writing.SHARD_BYTES", 128 + 20 * 12 * 12 * 3)
    monkeypatch.setattr(packs, "PACK_BYTES", 40_000)
    set_params(dataset="pets", **{"preprocess.image_size": 12})
    write_photos(photos, {"cats": 140, "dogs": 140}, first=1000)
    add(photos)

    def shards():
        """Images, labels and index of each shard of each split, made anew."""
        for stage in (download, preprocess):
            code, err = run_main(stage.main)
            assert code == 0, err
        kinds = ("images-*", "labels-*", "index-*")
        found = {}
        for name in SPLITS:
            paths = zip(
                *(sorted(Path("data/processed", name).glob(kind)) for kind in kinds), strict=True
            )
            found[name] = [tuple(path.read_bytes() for path in shard) for shard in paths]
        return found

    table, content = listed(), packed()
    assert len(content) > 5
    before = shards()
    assert len(before["train"]) > 5
    labels = {name: Split(name).index() for name in SPLITS}

    rng = np.random.default_rng(0)
    for i in range(30):
        name = f"{rng.integers(2**32):08x}.png"
        (photos / ("cats", "dogs")[i % 2] / name).write_bytes(picture(5000 + i))
    write_photos(photos, {"ants": 5}, first=6000)
    (photos / "cats/3.png").rename(photos / "cats/zoe.png")
    planned = add()
    assert (len(planned.newcomers), len(planned.renamed)) == (35, 1)
    assert read_card("pets")["classes"] == ["cats", "dogs", "ants"]
    after = listed().iloc[:300]
    pd.testing.assert_frame_equal(after.drop(columns="name"), table.drop(columns="name"))
    assert {name: packed()[name] for name in content} == content
    grown = shards()
    renamed = table.loc[table["name"] == "cats/3.png", "split"].item()
    for name in SPLITS:
        last = len(before[name]) - 1
        for old, new in zip(before[name][:last], grown[name][:last], strict=True):
            assert new[:2] == old[:2]
            assert name == renamed or new == old  # the index of a shard names its photos
        old, new = labels[name], Split(name).index().iloc[: len(labels[name])]
        pd.testing.assert_frame_equal(new[["id", "label"]], old[["id", "label"]])


def test_near_duplicates_share_a_split(photos, add):
    for seed in range(10):
        (photos / "cats" / f"small-{seed}.png").write_bytes(picture(seed, 20))
        (photos / "cats" / f"{seed}.jpg").write_bytes(picture(seed, 36, kind="JPEG"))
    planned = add(photos)
    assert planned.near == 30
    cats = listed()[listed()["class"] == "cats"]
    assert cats["alike"].nunique() == 10
    assert (cats.groupby("alike")["split"].nunique() == 1).all()
    assert (cats.groupby("alike").size() == 3).all()
    assert set(cats["split"]) == set(SPLITS)
    assert (listed().loc[listed()["class"] == "dogs", "alike"] == "").all()


def test_a_near_duplicate_follows_the_photo_that_is_there(photos, add):
    add(photos)
    before = split_of_name()
    for seed in range(10):
        (photos / "cats" / f"small-{seed}.png").write_bytes(picture(seed, 20))
    planned = add()
    assert planned.near == 10
    assert planned.bridges == []
    after = split_of_name()
    for seed in range(10):
        assert after[f"cats/small-{seed}.png"] == before[f"cats/{seed}.png"]
    assert {name: after[name] for name in before} == before


def test_near_duplicates_are_found_without_what_the_cache_remembers(photos, add):
    add(photos)
    before = split_of_name()
    shutil.rmtree(os.environ["LOOKBOOK_CACHE"])
    (photos / "cats/small.png").write_bytes(picture(3, 20))
    add()
    assert split_of_name()["cats/small.png"] == before["cats/3.png"]


def blend(one, other):
    """A picture that is a near duplicate of nothing but what it is made of."""
    halves = [np.asarray(Image.open(io.BytesIO(picture(seed))), int) for seed in (one, other)]
    file = io.BytesIO()
    Image.fromarray(((halves[0] + halves[1]) // 2).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def test_a_newcomer_that_bridges_two_splits_goes_to_training_and_is_named(photos, add, monkeypatch):
    monkeypatch.setattr(adding, "GROUP_THRESHOLD", 0.6)  # the mean of two is at 0.7 to both
    add(photos)
    before = split_of_name()
    cats = [name for name in before if name.startswith("cats")]
    held_out = {split: next(name for name in cats if before[name] == split) for split in SPLITS[1:]}
    seeds = [int(Path(name).stem) for name in held_out.values()]
    (photos / "cats/bridge.png").write_bytes(blend(*seeds))
    planned = add()
    assert planned.bridges == ["cats/bridge.png"]
    after = split_of_name()
    assert after["cats/bridge.png"] == "train"
    assert {name: after[name] for name in before} == before
    notes = pd.read_csv("data/own/pets/notes.csv")
    assert notes.to_numpy().tolist() == [["cats/bridge.png", adding.BRIDGE]]
    check_consistent()


def test_what_comes_after_a_bridge_follows_the_photos_that_it_resembles(photos, add, monkeypatch):
    add(photos)
    before = split_of_name()
    cats = [name for name in before if name.startswith("cats")]
    held_out = {split: next(name for name in cats if before[name] == split) for split in SPLITS[1:]}
    seeds = [int(Path(name).stem) for name in held_out.values()]
    (photos / "cats/bridge.png").write_bytes(blend(*seeds))
    with monkeypatch.context() as patch:
        patch.setattr(adding, "GROUP_THRESHOLD", 0.6)
        assert add().bridges == ["cats/bridge.png"]
    tested = Path(held_out["test"]).stem
    (photos / "cats/copy.png").write_bytes(picture(int(tested), 20))  # of a test picture alone
    planned = add()
    assert planned.bridges == []
    assert split_of_name()["cats/copy.png"] == "test"


def test_what_the_names_say_stays_together(photos, add):
    for seed, path in enumerate(sorted(photos.rglob("*.png"))):
        path.rename(path.with_name(f"house{seed // 2}-{path.name}"))
    add(photos, grouping=Grouping(pattern=r"house(\d+)"))
    table = listed()
    assert table["group"].value_counts().to_dict() == {str(house): 2 for house in range(10)}
    assert (table.groupby("group")["split"].nunique() == 1).all()
    assert read_card("pets")["source"]["group_pattern"] == r"house(\d+)"
    before = table.groupby("group")["split"].first().to_dict()
    for house in range(10):
        (photos / "cats" / f"house{house}-new.png").write_bytes(picture(100 + house))
    add()  # the card remembers the pattern
    assert (listed().groupby("group")["split"].nunique() == 1).all()
    assert listed().groupby("group")["split"].first().to_dict() == before


def test_folders_stay_together(tmp_path_factory, add):
    folder = tmp_path_factory.mktemp("home")
    for visit in range(10):
        write_photos(folder, {f"{('cats', 'dogs')[visit % 2]}/{visit}": 3}, first=10 * visit)
    add(folder, grouping=Grouping(level=1))
    assert sorted(set(listed()["group"])) == sorted(
        f"{('cats', 'dogs')[visit % 2]}/{visit}" for visit in range(10)
    )
    assert (listed().groupby("group")["split"].nunique() == 1).all()
    assert listed().groupby("class")["split"].nunique().to_dict() == {"cats": 3, "dogs": 3}


def test_a_column_of_a_list_keeps_together(photos, add):
    names = sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*.png"))
    rows = [f"{name},{name[:4]},patient {i // 2}" for i, name in enumerate(names)]
    (photos / "labels.csv").write_text("\n".join(["file,label,who", *rows]))
    add(photos / "labels.csv", columns=Columns(group="who"))
    assert listed()["group"].tolist() == [f"patient {i // 2}" for i in range(20)]
    assert (listed().groupby("group")["split"].nunique() == 1).all()


def test_a_group_that_near_duplicates_join_to_another_still_gathers_newcomers(photos, add):
    cats = sorted((photos / "cats").iterdir())
    for i, path in enumerate(cats):
        path.rename(path.with_name(f"house{max(0, i - 5)}-{path.name}"))  # six of the first
    (photos / "cats/house7-twin.png").write_bytes(picture(int(cats[0].stem), 20))
    add(photos, grouping=Grouping(pattern=r"house(\d+)"))
    before = split_of_name()
    assert before["cats/house7-twin.png"] == before["cats/house0-0.png"] == "train"
    (photos / "cats/house7-new.png").write_bytes(picture(100))  # the other splits lack it more
    add()
    assert split_of_name()["cats/house7-new.png"] == "train"


def test_a_group_that_is_a_whole_class_is_named(photos, add):
    planned = add(photos, grouping=Grouping(level=1), dry=True)
    assert planned.shared.large == {"cats": 10, "dogs": 10}


def test_what_was_asked_for_is_not_counted_as_near(photos, add):
    (photos / "cats/small.png").write_bytes(picture(3, 20))
    planned = add(photos, grouping=Grouping(level=1), dry=True)
    assert planned.near == 2


def test_resplit_draws_every_split_anew(photos, add):
    add(photos)
    write_photos(photos, {"cats": 20}, first=100)
    add()
    before, content = listed(), packed()
    planned = add(sizes=(0.4, 0.4), resplit=True)  # the card's sizes count
    assert planned.known == 40
    after = listed()
    pd.testing.assert_frame_equal(after.drop(columns="split"), before.drop(columns="split"))
    assert after.groupby(["class", "split"]).size().to_dict() == {
        ("cats", "train"): 18,
        ("cats", "validation"): 6,
        ("cats", "test"): 6,
        ("dogs", "train"): 6,
        ("dogs", "validation"): 2,
        ("dogs", "test"): 2,
    }
    assert after["split"].tolist() != before["split"].tolist()
    assert packed() == content
    check_consistent()


def test_published_splits_are_kept(tmp_path_factory, add):
    folder = tmp_path_factory.mktemp("set")
    write_photos(folder / "train", {"cats": 6, "dogs": 6})
    write_photos(folder / "test", {"cats": 3, "dogs": 3}, first=50)
    add(folder)
    for name, split in split_of_name().items():
        assert (split == "test") == name.startswith("test/")
    assert listed().groupby("class")["split"].nunique().to_dict() == {"cats": 3, "dogs": 3}


@pytest.mark.parametrize(("kinds", "each"), [(2, 3), (5, 10)])
def test_small_sets_go_through(tmp_path_factory, add, kinds, each):
    folder = tmp_path_factory.mktemp("small")
    add(write_photos(folder, {f"class {i}": each for i in range(kinds)}))
    counts = listed().groupby(["class", "split"]).size().unstack()
    wanted = np.array([0.2, 0.6, 0.2]) * each  # test, train, validation
    assert counts.shape == (kinds, 3)
    assert np.abs(counts - wanted).max(axis=None) <= 1


def test_without_validation_there_are_two_splits(photos, add):
    add(photos, sizes=(0.0, 0.2))
    assert listed()["split"].value_counts().to_dict() == {"train": 16, "test": 4}


def test_two_thousand_classes(tmp_path_factory, add):
    folder = tmp_path_factory.mktemp("many")
    for name in range(2000):
        for i in range(3):
            noise = np.random.default_rng(3 * name + i).integers(0, 256, (8, 8), np.uint8)
            path = folder / f"{name:04}" / f"{i}.bmp"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(noise).save(path)
    add(folder)
    assert len(read_card("pets")["classes"]) == 2000
    assert read_card("pets")["splits"] == {"train": 2000, "validation": 2000, "test": 2000}


# Faults that leave all as it was


def everything():
    """All files of the set and its card, with their content."""
    paths = [*Path("data/own").rglob("*"), *Path("data/cards").rglob("*")]
    return {path: path.read_bytes() if path.is_file() else None for path in paths}


def one_class(photos):
    shutil.rmtree(photos / "dogs")


def class_of_two(photos):
    write_photos(photos, {"birds": 2}, first=100)


def class_of_three_of_which_two_are_the_same(photos):
    write_photos(photos, {"birds": 2}, first=100)
    (photos / "birds/copy.png").write_bytes(picture(100))


def class_of_unreadable(photos):
    (photos / "birds").mkdir()
    for i in range(3):
        (photos / "birds" / f"{i}.png").write_bytes(bytes([i]))
    for name in ("cats", "dogs"):
        for path in (photos / name).iterdir():
            path.write_bytes(path.name.encode())


def reserved_name(photos):
    write_photos(photos, {"None of these": 3}, first=100)


def control_characters(photos):
    write_photos(photos, {"a\u202eb": 3}, first=100)


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (class_of_two, "of every class, one for each split. Received: 2 of 'birds'. Add pictures"),
        (class_of_three_of_which_two_are_the_same, "Received: 2 of 'birds'"),
        (reserved_name, "Received: 'None of these', which is what is said of pictures of no class"),
        (control_characters, "1 to 100 printable characters"),
    ],
)
def test_each_class_that_cannot_be_has_a_sentence(photos, add, fault, sentence, is_new):
    if not is_new:
        add(photos)
    fault(photos)
    before = everything()
    with pytest.raises(LookbookError) as error:
        add(photos)
    assert sentence in str(error.value)
    assert everything() == before


def test_a_set_of_nothing_readable_has_a_sentence(photos, add):
    class_of_unreadable(photos)
    with pytest.raises(LookbookError, match="Received: none that can be read"):
        add(photos)
    assert not Path("data/own/pets").exists()


def test_a_list_of_one_class_has_a_sentence(photos, add):
    rows = [f"cats/{seed}.png,cat" for seed in range(10)]
    (photos / "labels.csv").write_text("\n".join(["file,label", *rows]))
    with pytest.raises(LookbookError, match="Received: the one class 'cat'. Add another folder"):
        add(photos / "labels.csv")


def test_classes_that_differ_in_case_only_have_a_sentence(photos, add):
    add(photos)
    more = write_photos(photos.with_name("more"), {"Cats": 3, "dogs": 1}, first=100)
    with pytest.raises(LookbookError, match="Received: 'cats' and 'Cats', the same but for case"):
        add(more)


def test_a_folder_whose_name_is_no_text_has_a_sentence(photos, add):
    folder = Path(os.fsdecode(bytes(photos.parent) + b"/caf\xe9"))
    photos.rename(folder)
    before = everything()
    with pytest.raises(LookbookError):
        add(folder)
    assert everything() == before


def test_the_name_of_a_published_set_is_taken(photos, add):
    for name in ("digits", "Digits"):
        with pytest.raises(LookbookError, match=f"Received: '{name}', which data/cards/digits.yam"):
            add(photos, dataset=name)
    assert not Path("data/own/digits").exists()


def test_a_card_that_was_removed_while_its_photos_stay_has_a_sentence(photos, add):
    add(photos)
    Path("data/own/pets.dvc").touch()
    before = packed()
    Path("data/cards/pets.yaml").unlink()
    with pytest.raises(
        LookbookError, match=r"git checkout HEAD -- data/cards/pets\.yaml` to bring"
    ):
        add(photos)
    assert packed() == before


def test_a_set_whose_photos_are_not_here_says_how_to_have_them(photos, add):
    add(photos)
    shutil.rmtree("data/own/pets")
    with pytest.raises(LookbookError, match=r"Run `dvc pull data/own/pets\.dvc`"):
        add(photos)


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize("in_archive", [False, True])
def test_a_file_that_grows_while_it_is_read_stops_all(photos, add, is_new, in_archive):
    if not is_new:
        add(photos)
    write_photos(photos, {"cats": 5}, first=100)
    place = photos
    if in_archive:
        place = Path(shutil.make_archive(str(photos.with_name("packed")), "zip", photos))
    before = everything()
    planned = add(place, dry=True)
    (photos / "cats/103.png").write_bytes(picture(103) + b"more")
    if in_archive:
        shutil.make_archive(str(photos.with_name("packed")), "zip", photos)
    with pytest.raises(LookbookError) as error:
        apply(planned)
    assert "Expected cats/103.png to stay as it is while it is read." in str(error.value)
    received = everything()
    received.pop(Path("data/own/pets"), None) if is_new else None
    assert received == before


def test_an_archive_that_is_replaced_while_it_is_read_stops_all(photos, add):
    archive = Path(shutil.make_archive(str(photos), "zip", photos))
    planned = add(archive, dry=True)
    first = planned.places[0].photos[0].name
    with zipfile.ZipFile(archive, "w") as other:
        other.write(photos / first, first)
    with pytest.raises(LookbookError, match="to stay as it is while it is read"):
        apply(planned)


def test_a_full_disk_is_told_before_anything_is_copied(photos, add, monkeypatch):
    usage = shutil._ntuple_diskusage(10**9, 10**9 - 5, 5)
    monkeypatch.setattr(adding.shutil, "disk_usage", lambda path: usage)
    before = everything()
    with pytest.raises(LookbookError) as error:
        add(photos)
    size = 2 * sum(path.stat().st_size for path in photos.rglob("*.png"))  # DVC copies them
    assert f"Expected {size:,} bytes of free disk space for the photos. Received: 5 at" in str(
        error.value
    )
    assert everything() == before


@pytest.mark.parametrize("is_new", [True, False])
def test_a_disk_that_fills_up_meanwhile_leaves_the_old_set(photos, add, monkeypatch, is_new):
    if not is_new:
        add(photos)
        write_photos(photos, {"cats": 10}, first=100)
    monkeypatch.setattr(packs, "PACK_BYTES", 4000)
    before = everything()
    written = []
    original = zipfile.ZipFile.writestr

    def fill_up(archive, info, content):
        written.append(info)
        if len(written) == 6:
            raise OSError(errno.ENOSPC, "No space left on device")
        original(archive, info, content)

    monkeypatch.setattr(zipfile.ZipFile, "writestr", fill_up)
    with pytest.raises(OSError, match="No space left on device"):
        add(photos)
    received = everything()
    assert {path: received[path] for path in before} == before
    assert not [path for path in received if path.name.startswith(".partial")]


# What `auto` means


def chosen(dataset="pets"):
    choices = read_card(dataset)["choices"]
    return {name: choice["value"] for name, choice in choices.items()}


def test_what_auto_means_stands_on_the_card_and_stays(tmp_path_factory, add):
    folder = write_photos(tmp_path_factory.mktemp("home"), {"a": 6, "b": 6}, side=70)
    add(folder)
    expected = {"image_size": 64, "base": "photos", "class_weights": "none"}
    assert chosen() == expected
    write_photos(folder, {"b": 30}, first=100, side=200)  # larger and more of one class
    add(folder)
    assert read_card("pets")["counts"] == {"a": 6, "b": 36}
    assert chosen() == expected


def test_small_grey_scans_of_unequal_classes(tmp_path_factory, add):
    add(write_photos(tmp_path_factory.mktemp("home"), {"a": 4, "b": 12}, side=30, grey=True))
    assert chosen() == {"image_size": 28, "base": "fashion_mnist_cnn", "class_weights": "balanced"}


def test_auto_on_photos_of_all_sizes_grey_and_in_colour(
    tmp_path_factory, add, set_params, run_main
):
    folder = tmp_path_factory.mktemp("home")
    for first, side, grey in ((0, 20, False), (10, 8000, True), (20, 70, True), (30, 90, False)):
        count = 1 if side == 8000 else 4
        write_photos(folder, {"a": count, "b": count}, first=first, side=side, grey=grey)
    add(folder)
    assert chosen()["image_size"] == 64
    set_params(dataset="pets")
    for stage in (download, preprocess):
        code, err = run_main(stage.main)
        assert code == 0, err
    spec = read_spec()
    assert spec.image_shape == (64, 64, 3)
    assert sum(spec.counts.values()) == 26
    reason = "half of the photos have at least 70 pixels on their shorter side"
    assert spec.choices["image_size"] == Choice(64, reason)


def test_a_value_on_the_card_or_in_the_parameters_counts(photos, add, set_params, run_main):
    add(photos)
    card = read_card("pets")
    card["choices"]["image_size"] = {"value": 12, "reason": "we say so"}
    write_card(card_path("pets"), card)
    set_params(dataset="pets")
    assert run_main(download.main)[0] == run_main(preprocess.main)[0] == 0
    assert read_spec().image_shape == (12, 12, 3)
    set_params(**{"preprocess.image_size": 10})
    assert run_main(preprocess.main)[0] == 0
    assert read_spec().image_shape == (10, 10, 3)
    assert read_spec().choices["image_size"].value == 10
    card["choices"]["class_weights"]["value"] = "even"
    write_card(card_path("pets"), card)
    code, err = run_main(preprocess.main)
    assert code == 2
    assert "Expected choices to be image_size (a whole number), base" in err
