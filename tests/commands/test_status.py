"""`lookbook status`: what is new, changed, renamed or gone."""

import pytest
from support import picture, write_photos


@pytest.fixture
def taken(photos, add):
    add(photos)
    return photos


def test_nothing_has_changed(taken, lookbook):
    code, out, _ = lookbook("status", "pets")
    assert code == 0
    assert out == "20 photos are as they were taken in\n"


def test_each_difference_has_a_line(taken, lookbook):
    write_photos(taken, {"cats": 12}, first=100)
    (taken / "cats/1.png").write_bytes(picture(200))
    (taken / "cats/2.png").rename(taken / "cats/tom.png")
    (taken / "dogs/10.png").unlink()
    (taken / "notes.txt").write_text("holiday")
    code, out, _ = lookbook("status", "pets")
    assert code == 0
    new = ", ".join(f"cats/{seed}.png" for seed in range(100, 110))
    assert out.splitlines() == [
        f"12 new: {new} and 2 more",
        "1 changed: cats/1.png",
        "1 renamed: cats/2.png is cats/tom.png",
        "1 gone: dogs/10.png",
        "left out, not a picture's name: 1 (notes.txt)",
        "18 photos are as they were taken in",
    ]


def test_another_place(taken, lookbook):
    more = write_photos(taken.with_name("more"), {"cats": 1, "dogs": 1}, first=100)
    _, out, _ = lookbook("status", "pets", more)
    assert out.splitlines()[0] == "2 new: cats/100.png, dogs/101.png"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["pest"], "Expected a set of your own: pets. Received: 'pest'."),
        (["digits"], "Received: 'digits', which data/cards/digits.yaml has"),
        (["../pets"], "Received: '../pets'. Choose another"),
        (["pets", "nowhere"], "Received: nowhere, no such file or folder"),
        ([], "the following arguments are required: name"),
    ],
)
def test_each_wrong_command_has_a_sentence(taken, lookbook, arguments, sentence):
    code, _, err = lookbook("status", *arguments)
    assert code == 2
    assert sentence in err
    assert len(err.strip().splitlines()) == 1


def test_a_folder_that_is_gone_has_a_sentence(taken, lookbook):
    taken.rename(taken.with_name("moved"))
    code, _, err = lookbook("status", "pets")
    assert code == 2
    assert f"came from: {taken}. Received: none of them on this machine" in err
