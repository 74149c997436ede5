"""`lookbook remove`: photos are withdrawn, and their bytes if that is asked for."""

import zipfile
from pathlib import Path

import pytest
from support import check_consistent, listed, packed, read_card, run


def test_a_photo_is_withdrawn(project, photos, add, lookbook):
    add(photos)
    content = packed()
    code, out, err = lookbook("remove", "pets", "cats/3.png", "dogs/1[12]*")
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0] == "withdrawn: 3 photos: cats/3.png, dogs/11.png, dogs/12.png"
    assert lines[-1].startswith("staged in Git: data/cards/pets.yaml, data/own/pets.dvc, data/own/")
    assert packed() == content
    assert read_card("pets")["counts"] == {"cats": 9, "dogs": 8}
    check_consistent()


def test_a_purge_reaches_dvc_and_git(repository, photos, lookbook):
    lookbook("add", "pets", photos)
    run("git", "commit", "-qm", "Pets", cwd=repository)
    row = listed().set_index("name").loc["cats/3.png"]
    code, out, err = lookbook("remove", "pets", "cats/3.png", "--purge")
    assert code == 0, err
    assert "rewritten: 1 pack; older versions still have the photos" in out
    check_consistent()
    (pack,) = Path("data/own/pets").glob("*.zip")
    assert pack.name != row["pack"]
    with zipfile.ZipFile(pack) as archive:
        assert row["member"] not in archive.namelist()
        assert len(archive.namelist()) == 19
    assert run("dvc", "status", "data/own/pets.dvc", cwd=repository).stdout.strip() == (
        "Data and pipelines are up to date."
    )
    staged = run("git", "status", "--porcelain", "-uall", cwd=repository).stdout.splitlines()
    assert sorted(staged) == ["M  data/cards/pets.yaml", "M  data/own/pets.dvc"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["pets", "bats/*"], "Received: 'bats/*', which fits none."),
        (["pets", "cats/[0-7]*"], "Received: 2 of 'cats' would."),
        (["pets", "*"], "Expected at least two classes of 3 photos to stay."),
        (["pets", "params.yaml"], "which fits none"),
        (["pets", "data/bases/fashion_mnist_cnn.keras"], "data/bases/fashion_mnist_cnn.keras"),
        (["pets"], "Expected photos to withdraw: names, ids, patterns or a list. Received: none"),
        (["digits", "*"], "Received: 'digits', which data/cards/digits.yaml has"),
        (["pest", "*"], "Expected a set of your own: pets. Received: 'pest'."),
    ],
)
def test_each_wrong_command_has_a_sentence(project, photos, add, lookbook, arguments, sentence):
    add(photos)
    before = listed()
    code, _, err = lookbook("remove", *arguments)
    assert code == 2
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
    assert listed().equals(before)
    check_consistent()
