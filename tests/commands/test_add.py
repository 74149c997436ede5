"""One's own pictures: added, changed, accepted, and versioned, as people do it."""

import io
import json
import os
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support import read_card, send
from support import run as execute

from lookbook.datasets.cards import card_path
from lookbook.own import files as own
from lookbook.own import watch
from lookbook.splits.split import Split
from stages import download, preprocess


def picture(seed, mode="RGB"):
    """The bytes of a small JPEG with a colour and shapes of its own."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize((48, 36)).convert(mode).save(file, "JPEG")
    return file.getvalue()


def make_photos(folder, count=20, mode="RGB"):
    for number, name in enumerate(("cats", "dogs")):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            (folder / name / f"{i}.jpg").write_bytes(picture(1000 * number + i, mode))
    return folder


@pytest.fixture
def photos(tmp_path_factory):
    """A folder `photos` with 20 cats and 20 dogs, and what else lies around in such folders."""
    folder = make_photos(tmp_path_factory.mktemp("home") / "photos")
    (folder / "cats/Thumbs.db").write_bytes(b"x")
    (folder / "notes.txt").write_text("holiday")
    return folder


@pytest.fixture
def run(run_main, caplog):
    """A function that runs a main in this process and returns (exit code, all that it said)."""
    caplog.set_level("INFO")

    def call(main):
        caplog.clear()
        code, err = run_main(main)
        return code, caplog.text + err

    return call


@pytest.fixture
def command(lookbook):
    """A function that runs `lookbook add` in this process; returns its code and all it said."""

    def call(*arguments):
        code, out, err = lookbook("add", *arguments)
        return code, out + err

    return call


@pytest.fixture
def use(set_params):
    """A function that chooses a data set, at a small size."""
    return lambda name, **changes: set_params(
        dataset=name, **{"preprocess.image_size": 16} | changes
    )


def test_a_folder_gets_a_card_and_goes_through(project, photos, command, use, run):
    code, err = command("pets", photos)
    assert code == 0, err
    assert "cats 20, dogs 20; 2 other files" in err
    card = read_card("pets")
    assert card["classes"] == ["cats", "dogs"]
    assert card["counts"] == {"cats": 20, "dogs": 20}
    assert card["reader"] == {"kind": "images", "channels": 3}
    assert card["flips"] is True
    assert card["files"][0]["sha256"] == own.sha256_of(Path("data/own/pets.csv"))
    use("pets")
    for main in (watch.main, download.main, preprocess.main):
        code, err = run(main)
        assert code == 0, err
    assert json.loads(Path("data/own/watched.json").read_text()) == {
        "pets": card["files"][0]["sha256"]
    }
    assert sorted(path.name for path in Path("data/raw").iterdir()) == [
        "pets-00000.zip",
        "pets.csv",
    ]
    assert sum(len(Split(name)) for name in ("train", "validation", "test")) == 40
    dropped = pd.read_csv("data/processed/dropped.csv")
    assert sorted(dropped["source"]) == ["cats/Thumbs.db", "notes.txt"]


def test_the_packed_pictures_are_the_same_bytes_everywhere(project, photos, command, use, run):
    command("pets", photos)
    use("pets")
    packs = []
    for _ in range(2):
        run(download.main)
        packs.append(Path("data/raw/pets-00000.zip").read_bytes())
        for path in photos.rglob("*"):
            os.utime(path, (1e9, 1e9))
    assert packs[0] == packs[1]


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_an_archive_gets_a_card(project, photos, command, use, run, kind):
    archive = photos.with_name(f"photos.{kind}")
    format_name = {"zip": "zip", "tar": "tar", "tar.gz": "gztar"}[kind]
    shutil.make_archive(str(photos), format_name, photos.parent, "photos")
    code, err = command("pets", archive)
    assert code == 0, err
    use("pets")
    for main in (watch.main, download.main, preprocess.main):
        code, err = run(main)
        assert code == 0, err
    assert Path("data/raw", archive.name).read_bytes() == archive.read_bytes()
    assert sum(len(Split(name)) for name in ("train", "validation", "test")) == 40


def test_an_address_gets_a_card(project, photos, command, use, run, serve):
    content = Path(shutil.make_archive(str(photos), "zip", photos)).read_bytes()
    base, requests = serve(lambda handler: send(handler, content))
    code, err = command("pets", f"{base}/files/photos.zip")
    assert code == 0, err
    assert read_card("pets")["source"] == {"kind": "http", "origins": [f"{base}/files"]}
    use("pets")
    code, err = run(download.main)
    assert code == 0, err
    assert requests == ["/files/photos.zip"]  # once: the cache has it
    assert Path("data/raw/photos.zip").read_bytes() == content
    (photos / "cats/new.jpg").write_bytes(picture(77))
    content = Path(shutil.make_archive(str(photos), "zip", photos)).read_bytes()
    shutil.rmtree(os.environ["LOOKBOOK_CACHE"])
    code, err = run(download.main)
    assert code == 2
    assert "does not match the known hash" in err
    assert "If there is a new version: lookbook add pets --accept." in err
    code, err = command("pets", "--accept")
    assert code == 0, err
    assert "1 added (cats/new.jpg)" in err
    assert read_card("pets")["counts"]["cats"] == 21


def test_grey_photos_stay_grey(project, tmp_path_factory, command):
    folder = make_photos(tmp_path_factory.mktemp("grey") / "scans", mode="L")
    code, err = command("scans", folder)
    assert code == 0, err
    assert read_card("scans")["reader"]["channels"] == 1
    assert read_card("scans")["flips"] is False


def change(photos):
    (photos / "dogs/new.jpg").write_bytes(picture(5000))
    (photos / "cats/3.jpg").unlink()
    (photos / "cats/4.jpg").write_bytes(picture(5001))
    (photos / "cats/Thumbs.db").write_bytes(b"changed by Windows")


CHANGES = "1 added (dogs/new.jpg), 1 removed (cats/3.jpg), 1 changed (cats/4.jpg)"


@pytest.mark.parametrize("main", [watch.main, download.main], ids=["watch", "download"])
def test_changed_pictures_stop_the_run_until_they_are_accepted(
    project, photos, command, use, run, main
):
    command("pets", photos)
    use("pets")
    run(download.main)
    raw = {path.name: path.read_bytes() for path in Path("data/raw").iterdir()}
    change(photos)
    code, err = run(main)
    assert code == 2
    assert f"Received: {CHANGES}. To take the new version: lookbook add pets --acc" in err
    assert {path.name: path.read_bytes() for path in Path("data/raw").iterdir()} == raw
    old = read_card("pets")
    code, err = command("pets", "--accept")
    assert code == 0, err
    assert CHANGES in err
    assert read_card("pets")["files"] != old["files"]
    for step in (watch.main, download.main, preprocess.main):
        code, err = run(step)
        assert code == 0, err


def test_accepting_keeps_what_was_edited(project, photos, command):
    command("pets", photos)
    path = card_path("pets")
    text = path.read_text().replace("- cats\n  - dogs", "- dogs # first\n  - cats")
    title = "title: 'The pets of our street' # all of them"
    path.write_text(text.replace("title: pets, pictures of our own", title))
    change(photos)
    assert command("pets", "--accept")[0] == 0
    assert read_card("pets")["classes"] == ["dogs", "cats"]
    assert title in path.read_text()
    assert "- dogs # first" in path.read_text()
    assert "\nflips: true\n" in path.read_text()


def test_a_changed_archive_says_which_pictures(project, photos, command, use, run):
    archive = shutil.make_archive(str(photos), "zip", photos)
    command("pets", archive)
    use("pets")
    change(photos)
    shutil.make_archive(str(photos), "zip", photos)
    code, err = run(watch.main)
    assert code == 2
    assert f"Received: {CHANGES}." in err


def test_a_folder_on_another_machine(project, photos, command, use, run):
    command("pets", photos)
    use("pets")
    photos.rename(photos.with_name("moved"))
    code, err = run(watch.main)  # a colleague has the pushed version, and that is fine
    assert code == 0, err
    assert "not on this machine" in err
    code, err = run(download.main)
    assert code == 2
    assert "`dvc pull` brings the accepted version" in err
    code, err = command("pets", photos.with_name("moved"), "--accept")
    assert code == 0, err
    assert "no picture has changed" in err
    assert run(download.main)[0] == 0


def test_links_are_followed_but_not_in_circles(project, photos, command):
    elsewhere = photos.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "far.jpg").write_bytes(picture(9))
    (photos / "cats/linked").symlink_to(elsewhere)
    (photos / "dogs/circle").symlink_to(photos)
    code, err = command("pets", photos)
    assert code == 0, err
    assert read_card("pets")["counts"] == {"cats": 21, "dogs": 20}


def empty_folder(photos):
    shutil.rmtree(photos)
    photos.mkdir()


def one_of_a_class(photos):
    (photos / "birds").mkdir()
    (photos / "birds/1.jpg").write_bytes(picture(1))


def same_names(photos):
    shutil.copytree(photos / "cats", photos / "Cats ")


def no_class_folders(photos):
    for path in photos.rglob("*.jpg"):
        path.rename(photos / f"{path.parent.name}-{path.name}")
    shutil.rmtree(photos / "cats")
    shutil.rmtree(photos / "dogs")


def empty_class(photos):
    (photos / "birds").mkdir()


def same_but_for_case(photos):
    shutil.copy(photos / "cats/1.jpg", photos / "cats/1.JPG")


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (empty_folder, "Received: an empty folder"),
        (one_of_a_class, "at least 3 pictures of every class, one for each split. Received: 1 of"),
        (same_names, "'Cats ' and 'cats', the same but for blanks and case"),
        (no_class_folders, "Received: 40 pictures and no such folders"),
        (empty_class, "Received: none in 'birds'"),
        (same_but_for_case, "'cats/1.jpg', the same as 'cats/1.JPG' but for case"),
    ],
)
def test_each_unsorted_folder_has_a_sentence(project, photos, command, fault, sentence):
    fault(photos)
    code, err = command("pets", photos)
    assert code == 2
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
    assert not card_path("pets").exists()
    assert not Path("data/own/pets.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["pets"], "Expected where the pictures are: lookbook add pets FOLDER"),
        (["pets", "--accept"], "Received: 'pets', which is unknown"),
        (["digits", "--accept"], "Received: 'digits', which is a published one"),
        (
            ["digits", "."],
            "Expected a new name. Received: 'digits', which data/cards/digits.yaml has",
        ),
        (["our pets", "."], "to be up to 64 letters, digits, _ and -, beginning with a letter"),
        (["../../params", "."], "Received: '../../params'. Choose another"),
        (["Digits", "."], "Expected a new name. Received: 'Digits'"),
        (["pets", "nowhere"], "Received: nowhere, no such file or folder"),
        (["pets", "params.yaml"], "Received: params.yaml, a file of another kind"),
        (["pets", "https://u:secret@example.org/a.zip"], "Received: https://example.org/a.zip."),
        (
            ["pets", "https://example.org/a.zip?token=secret"],
            "Received: https://example.org/a.zip.",
        ),
        (["pets", "https://example.org/page"], "ends with the name of a zip, tar or tar.gz"),
    ],
)
def test_each_wrong_command_has_a_sentence(project, command, arguments, sentence):
    code, err = command(*arguments)
    assert code == 2
    assert sentence in err
    assert "secret" not in err


def test_an_unreadable_picture_has_a_sentence(photos, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody who may not read")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        copy = Path(shutil.copytree(photos, Path(folder, "photos")))
        (copy / "cats/3.jpg").chmod(0)
        monkeypatch.setenv("LOOKBOOK_CACHE", folder)
        os.seteuid(65534)
        try:
            with pytest.raises(PermissionError, match=r"cats/3\.jpg"):
                own.scan(copy, "pets")
        finally:
            os.seteuid(0)


def test_hashes_are_remembered_until_a_file_changes(project, photos, monkeypatch):
    hashed = []
    original = own.sha256_of
    monkeypatch.setattr(own, "sha256_of", lambda path: hashed.append(path.name) or original(path))
    first = own.scan(photos, "pets")
    assert len(hashed) == 40
    assert own.scan(photos, "pets") == first
    assert len(hashed) == 40
    (photos / "cats/3.jpg").write_bytes(picture(6000))
    assert own.scan(photos, "pets") != first
    assert hashed[40:] == ["3.jpg"]


def test_a_new_photo_changes_one_pack(monkeypatch):
    from lookbook.sources import local

    entries = [
        own.Entry(f"{i:05}.jpg", 2**20, own.hashlib.sha256(str(i).encode()).hexdigest())
        for i in range(2000)
    ]
    before = list(local.packs(entries))
    assert sum(map(len, before)) == 2000
    assert all(len(run) <= 64 for run in before)
    changed = []
    for place in range(0, 2000, 200):
        entry = own.Entry(f"{place:05}+.jpg", 2**20, "8" * 64)
        after = list(local.packs([*entries[:place], entry, *entries[place:]]))
        changed.append(len([run for run in after if run not in before]))
    assert np.mean(changed) < 2


@pytest.fixture
def repository(project, photos, command, use):
    """The project as a Git repository that works on the photos, at a tiny size."""
    for step in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "start"]):
        execute("git", *step, cwd=project)
    assert command("pets", photos)[0] == 0
    use("pets", **{"preprocess.split": "hash"})
    execute("git", "commit", "-qam", "Add our pets", cwd=project)
    return project


def dvc(*arguments, cwd, check=True):
    return execute("dvc", *arguments, cwd=cwd, check=check)


def commit_all(folder, message):
    execute("git", "add", "-A", cwd=folder)
    execute("git", "commit", "-qm", message, cwd=folder)


def test_a_change_stops_dvc_and_shows_in_params_diff(repository, photos, command):
    dvc("repro", "preprocess", cwd=repository)
    commit_all(repository, "Preprocess")
    again = dvc("repro", "preprocess", cwd=repository).stdout
    assert "Stage 'download' didn't change, skipping" in again
    change(photos)
    for arguments in (["repro", "preprocess"], ["exp", "run", "preprocess"]):
        done = dvc(*arguments, cwd=repository, check=False)
        assert done.returncode != 0
        assert CHANGES in done.stderr + done.stdout
    old = read_card("pets")["files"][0]["sha256"]
    assert command("pets", "--accept")[0] == 0
    new = read_card("pets")["files"][0]["sha256"]
    difference = dvc("params", "diff", cwd=repository).stdout
    assert old in difference
    assert new in difference
    dvc("repro", "preprocess", cwd=repository)


@pytest.mark.slow
def test_queued_and_temporary_runs_use_own_data_too(repository, photos):
    size = ["-S", "preprocess.image_size=20"]
    dvc("exp", "run", "--temp", "-n", "temporary", *size, "preprocess", cwd=repository)
    dvc("exp", "run", "--queue", "-n", "queued", *size, "preprocess", cwd=repository)
    dvc("exp", "run", "--run-all", cwd=repository)
    shown = dvc("exp", "show", "--csv", cwd=repository).stdout
    assert "temporary" in shown
    assert "queued" in shown
    change(photos)
    size[1] = "preprocess.image_size=24"
    done = dvc("exp", "run", "--temp", *size, "preprocess", cwd=repository, check=False)
    assert CHANGES in done.stderr + done.stdout


def test_the_data_travel_by_push_and_pull(repository, photos, tmp_path_factory):
    dvc("remote", "add", "-d", "shelf", tmp_path_factory.mktemp("shelf"), cwd=repository)
    dvc("repro", "preprocess", cwd=repository)
    commit_all(repository, "Version one")
    dvc("push", cwd=repository)
    clone = tmp_path_factory.mktemp("colleague") / "clone"
    execute("git", "clone", "-q", str(repository), str(clone), cwd=repository)
    photos.rename(photos.with_name("not here"))
    dvc("pull", "download", "preprocess", cwd=clone)
    said = dvc("repro", "preprocess", cwd=clone).stdout
    assert said.count("didn't change, skipping") == 2
    assert not execute("git", "status", "--short", cwd=clone).stdout
    for name in ("raw/pets-00000.zip", "processed/spec.json"):
        assert (clone / "data" / name).read_bytes() == (repository / "data" / name).read_bytes()


def test_an_older_commit_brings_the_older_data(repository, photos, command):
    dvc("repro", "preprocess", cwd=repository)
    commit_all(repository, "Version one")
    first = Split("train").index()
    change(photos)
    command("pets", "--accept")
    dvc("repro", "preprocess", cwd=repository)
    commit_all(repository, "Version two")
    assert not Split("train").index().equals(first)
    execute("git", "checkout", "-q", "HEAD~1", cwd=repository)
    dvc("checkout", "data/raw", "data/processed", cwd=repository)
    assert Split("train").index().equals(first)
    with zipfile.ZipFile("data/raw/pets-00000.zip") as archive:
        assert "cats/3.jpg" in archive.namelist()


def split_of_each():
    tables = {name: Split(name).index() for name in ("train", "validation", "test")}
    return {source: name for name, index in tables.items() for source in index["source"]}


def cache_files(repository):
    folder = repository / ".dvc/cache/files/md5"
    return {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def test_a_hundred_new_photos_move_no_old_one(repository, photos, command):
    dvc("repro", "preprocess", cwd=repository)
    before = split_of_each()
    for i in range(100):
        (photos / "dogs" / f"new-{i}.jpg").write_bytes(picture(7000 + i))
    command("pets", "--accept")
    dvc("repro", "preprocess", cwd=repository)
    after = split_of_each()
    assert len(after) == len(before) + 100
    assert {source: after[source] for source in before} == before


def test_one_more_photo_costs_one_shard_in_the_cache(repository, photos, command, monkeypatch):
    for i in range(400):
        name = ("cats", "dogs")[i % 2]
        (photos / name / f"more-{i}.jpg").write_bytes(picture(3000 + i))
    command("pets", "--accept")
    # Shards of 20 pictures, so that there are many.
    for file, old, new in (
        (
            "lookbook/splits/writing.py",
            "SHARD_BYTES = 64 * 2**20",
            "SHARD_BYTES = 20 * 16 * 16 * 3 + 128",
        ),
        ("lookbook/sources/local.py", "2**24, 2**25, 2**26", "20_000, 40_000, 80_000"),
    ):
        path = Path(file)
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
    dvc("repro", "preprocess", cwd=repository)
    shards = len(list(Path("data/processed/train").glob("images-*")))
    packs = len(list(Path("data/raw").glob("*.zip")))
    assert shards > 15
    assert packs > 5
    before = cache_files(repository)
    (photos / "dogs/one-more.jpg").write_bytes(picture(8000))
    command("pets", "--accept")
    dvc("repro", "preprocess", cwd=repository)
    new = {path for path in cache_files(repository) if path not in before}
    images = [path for path in new if path.read_bytes()[:6] == b"\x93NUMPY"]
    archives = [path for path in new if path.read_bytes()[:2] == b"PK"]
    assert 1 <= len(images) <= 4  # pixels and labels of one shard, seldom of two
    assert 1 <= len(archives) <= 2


def test_bad_archives_are_refused_by_the_command(project, tmp_path, command):
    path = tmp_path / "photos.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("../../outside.jpg"))
    code, err = command("pets", path)
    assert code == 2
    assert "'../../outside.jpg', a name that leads out of its folder" in err
