"""`lookbook classes`: renamed, merged and ordered."""

import pytest
from support import check_consistent, listed, read_card, write_photos


@pytest.fixture
def taken(photos, add):
    add(write_photos(photos, {"kittens": 5}, first=50))
    return photos


def test_the_classes_are_listed_in_label_order(taken, lookbook):
    lookbook("classes", "pets", "--order", "kittens,dogs,cats")
    code, out, _ = lookbook("classes", "pets")
    assert code == 0
    assert out.splitlines() == [
        f"  {'kittens':<24} {'█' * 15:<30} 5 (3 + 1 + 1)",
        f"  {'dogs':<24} {'█' * 30} 10 (6 + 2 + 2)",
        f"  {'cats':<24} {'█' * 30} 10 (6 + 2 + 2)",
    ]


def test_all_changes_at_once(taken, lookbook):
    code, out, err = lookbook(
        *("classes", "pets", "--rename", "dogs=hounds", "--merge", "kittens,cats=cats"),
        *("--order", "hounds,cats"),
    )
    assert code == 0, err
    assert out.startswith("staged in Git: data/cards/pets.yaml, data/own/pets.dvc, data/own/.giti")
    assert read_card("pets")["classes"] == ["hounds", "cats"]
    assert read_card("pets")["source"]["aliases"] == {"dogs": "hounds", "kittens": "cats"}
    assert set(listed()["class"]) == {"hounds", "cats"}
    check_consistent()


def test_add_understands_the_old_folders(taken, lookbook):
    lookbook("classes", "pets", "--rename", "dogs=hounds")
    write_photos(taken, {"dogs": 2}, first=100)
    code, out, err = lookbook("add", "pets")
    assert code == 0, err
    assert "of another class" not in out
    assert read_card("pets")["classes"] == ["cats", "hounds", "kittens"]
    assert read_card("pets")["counts"] == {"cats": 10, "hounds": 12, "kittens": 5}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--rename", "cats"], "as --rename OLD=NEW. Received: 'cats'."),
        (["--rename", "cats="], "as --rename OLD=NEW. Received: 'cats='."),
        (["--merge", "=cats"], "Received: '=cats'."),
        (["--merge", "cats,bats=all"], "cats, dogs, kittens. Received: 'bats'."),
        (["--rename", "cats=dogs"], "lookbook classes pets --merge cats,dogs=dogs"),
        (["--rename", "cats=unsure"], "what is said of pictures of no class"),
        (["--order", "cats,dogs"], "Expected all classes after --order: cats, dogs, kittens."),
    ],
)
def test_each_wrong_command_has_a_sentence(taken, lookbook, arguments, sentence):
    before = (listed(), read_card("pets"))
    code, _, err = lookbook("classes", "pets", *arguments)
    assert code == 2
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
    assert listed().equals(before[0])
    assert read_card("pets") == before[1]
