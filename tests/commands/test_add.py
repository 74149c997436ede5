"""`lookbook add`: photos of one's own become a versioned set, as people do it."""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from support import (
    check_consistent,
    listed,
    packed,
    picture,
    read_card,
    run,
    send,
    write_photos,
)

from lookbook.datasets import packs
from lookbook.datasets.cards import card_path
from lookbook.splits.spec import SPLITS
from lookbook.splits.split import Split
from stages import download, preprocess


@pytest.fixture
def use(set_params):
    """A function that chooses a data set, at a small size."""
    return lambda name="pets", **changes: set_params(
        dataset=name, **{"preprocess.image_size": 12} | changes
    )


def status_of(folder):
    return run("dvc", "status", "data/own/pets.dvc", cwd=folder).stdout.strip()


def commit(folder, message):
    run("git", "commit", "-qam", message, cwd=folder)


def test_a_folder_becomes_a_set_that_dvc_and_git_know(repository, photos, lookbook, use, run_main):
    (photos / "cats/notes.txt").write_text("holiday")
    code, out, err = lookbook("add", "pets", photos)
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0] == "pets: 20 photos of 2 classes, 20 of them new"
    assert lines[2] == f"  {'cats':<24} {'█' * 30} 10 (6 + 2 + 2)"
    assert "left out, not a picture's name: 1 (cats/notes.txt)" in lines
    assert "who is named here in part is named in full in data/own/pets/notes.csv" in lines
    assert lines[-1] == "now: dvc exp run -S dataset=pets"
    check_consistent()
    assert status_of(repository) == "Data and pipelines are up to date."
    staged = run("git", "status", "--porcelain", "-uall", cwd=repository).stdout.splitlines()
    assert sorted(staged) == ["A  data/cards/pets.yaml", "A  data/own/pets.dvc"]
    use()
    photos.rename(photos.with_name("gone"))  # never needed again
    for stage in (download, preprocess):
        code, err = run_main(stage.main)
        assert code == 0, err
    assert sorted(path.name for path in Path("data/raw").iterdir()) == ["00000.zip", "list.csv"]
    assert Path("data/raw/00000.zip").read_bytes() == packed()["00000.zip"]
    assert {name: len(Split(name)) for name in SPLITS} == {"train": 12, "validation": 4, "test": 4}
    table = listed().set_index("name")
    for name in SPLITS:
        index = Split(name).index()
        assert (table.loc[index["source"], "split"] == name).all()
        assert (table.loc[index["source"], "id"].to_numpy() == index["id"].to_numpy()).all()


def test_a_set_that_grows_is_told_as_it_grows(project, without_dvc, photos, lookbook):
    lookbook("add", "pets", photos)
    write_photos(photos, {"cats": 1, "ants": 3}, first=100)
    (photos / "cats/0.png").rename(photos / "cats/tom.png")
    (photos / "cats/1.png").rename(photos / "dogs/1.png")
    (photos / "cats/small.png").write_bytes(picture(3, 20))
    shutil.copy(photos / "dogs/12.png", photos / "dogs/again.png")
    code, out, err = lookbook("add", "pets")
    assert code == 0, err
    assert "pets: 25 photos of 3 classes, 5 of them new" in out
    assert "there already: 20 photos" in out
    assert "cats/0.png is cats/tom.png" in out
    assert "of another class now: 1 photo: dogs/1.png (cats, now dogs)" in out
    assert "staying in one split together, near duplicates: 2 photos in 1 group" in out
    assert ", 2 new)" in out


def test_again_nothing_changes(project, without_dvc, photos, lookbook):
    lookbook("add", "pets", photos)
    code, out, _ = lookbook("add", "pets", photos)
    assert code == 0
    assert "nothing has changed" in out


def test_a_dry_run_does_nothing(repository, photos, lookbook):
    code, out, err = lookbook("add", "pets", photos, "--dry-run")
    assert code == 0, err
    assert "pets: 20 photos of 2 classes, 20 of them new" in out
    size = sum(path.stat().st_size for path in photos.rglob("*.png"))
    assert f"to be copied: {size / 1000:.1f} KB; this was a dry run, nothing was done" in out
    assert run("git", "status", "--porcelain", "-uall", cwd=repository).stdout == ""
    assert not card_path("pets").exists()


def test_an_address_is_not_needed_again(
    project, without_dvc, photos, lookbook, serve, use, run_main
):
    content = Path(shutil.make_archive(str(photos), "zip", photos)).read_bytes()
    base, requests = serve(lambda handler: send(handler, content))
    code, _, err = lookbook("add", "pets", f"{base}/files/photos.zip")
    assert code == 0, err
    assert read_card("pets")["source"]["places"] == [f"{base}/files/photos.zip"]
    use()
    code, err = run_main(download.main)
    assert code == 0, err
    assert requests == ["/files/photos.zip"]


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar"])
def test_an_archive_makes_the_same_set_as_its_folder(project, without_dvc, photos, lookbook, kind):
    archive = shutil.make_archive(str(photos), kind, photos)
    code, _, err = lookbook("add", "pets", archive)
    assert code == 0, err
    lookbook("add", "others", photos)
    splits = [dict(zip(table["id"], table["split"], strict=True)) for table in map(listed, SETS)]
    assert splits[0] == splits[1]


SETS = ("pets", "others")


def test_a_list_with_columns_of_its_own(project, without_dvc, photos, lookbook):
    rows = [f"{p.parent.name}/{p.name};{p.parent.name};{p.stem[-1]}" for p in photos.rglob("*.png")]
    text = "\n".join(["bild;klasse;wer", *rows]).replace(";", "\t")
    (photos / "labels.tsv").write_text(text)
    columns = ["--name-column", "bild", "--label-column", "klasse", "--group-column", "wer"]
    code, out, err = lookbook("add", "pets", photos / "labels.tsv", *columns)
    assert code == 0, err
    assert "staying in one split together, groups as asked for: 20 photos in 10 groups" in out
    assert (listed().groupby("group")["split"].nunique() == 1).all()


def test_groups_are_asked_for(project, without_dvc, photos, lookbook):
    code, out, err = lookbook("add", "pets", photos, "--group-level", "1")
    assert code == 0, err
    assert "larger than the share of its split: the group cats, 10" in out
    assert read_card("pets")["source"]["group_level"] == 1
    code, _, err = lookbook("add", "others", photos, "--group-pattern", r"(\d)\.png")
    assert code == 0, err
    assert (listed("others").groupby("group")["split"].nunique() == 1).all()
    assert listed("others")["group"].nunique() == 10


def test_resplit_is_told(project, without_dvc, photos, lookbook):
    lookbook("add", "pets", photos)
    code, out, err = lookbook("add", "pets", "--resplit")
    assert code == 0, err
    assert "every photo gets its split anew: figures of before and after cannot be compared" in out


def test_one_class_alone_can_be_added_to(project, without_dvc, photos, lookbook):
    lookbook("add", "pets", photos)
    more = photos.with_name("more")
    write_photos(more, {"cats": 2}, first=100)
    (more / "labels.csv").write_text("file,label\ncats/100.png,cats\ncats/101.png,cats\n")
    code, _, err = lookbook("add", "pets", more / "labels.csv")
    assert code == 0, err
    assert read_card("pets")["counts"] == {"cats": 12, "dogs": 10}


def test_names_that_would_turn_a_terminal_are_written_out(project, without_dvc, photos, lookbook):
    shutil.copy(photos / "cats/1.png", photos / "cats/a\u202eb.png")
    (photos / "cats/1 AM\u202f🐈.png").write_bytes(picture(100))
    code, out, err = lookbook("add", "pets", photos)
    assert code == 0, err
    assert r"a\u202eb.png" in out
    assert "\u202e" not in out
    assert "cats/1 AM\u202f🐈.png" in listed()["name"].tolist()


def test_a_name_that_is_no_text_is_left_out_and_named(project, without_dvc, photos, lookbook):
    Path(os.fsdecode(bytes(photos / "cats") + b"/\xff.png")).write_bytes(picture(100))
    code, out, err = lookbook("add", "pets", photos)
    assert code == 0, err
    assert "left out, a name with control characters: 1 (cats/\\udcff.png)" in out
    assert len(listed()) == 20


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["pets"], "lookbook add pets"),
        (["digits", "."], "Received: 'digits', which data/cards/digits.yaml has"),
        (["Digits", "."], "Received: 'Digits', which data/cards/digits.yaml has"),
        (["our pets", "."], "to be up to 64 letters, digits, _ and -, beginning with a letter"),
        (["../../params", "."], "Received: '../../params'. Choose another"),
        (["pets", "nowhere"], "Received: nowhere, no such file or folder"),
        (["pets", "params.yaml"], "Received: params.yaml, a file of another kind"),
        (["pets", "https://u:secret@example.org/a.zip"], "Received: https://example.org/a.zip."),
        (["pets", "s3://key:secret@bucket/photos"], "since it will stand on the card"),
        (["pets", "dropbox://secret@host/photos"], "begins with one of http://, https://, s3://"),
        (["pets", ".", "--group-pattern", "("], "Expected a regular expression after --group-pa"),
        (["pets", ".", "--group-level", "0"], "the latter from 1. Received: None and 0."),
        (["pets", ".", "--group-level", "x"], "invalid int value: 'x'"),
        (["pets", "--accept"], "unrecognized arguments: --accept"),
    ],
)
def test_each_wrong_command_has_a_sentence(project, lookbook, arguments, sentence):
    before = sorted(Path().rglob("*"))
    code, out, err = lookbook("add", *arguments)
    assert code == 2
    assert sentence in err
    assert "secret" not in err
    assert len(err.strip().splitlines()) == 1
    assert out == ""
    assert sorted(Path().rglob("*")) == before


def test_what_a_first_try_left_behind_is_not_for_git(repository, photos, lookbook, monkeypatch):
    monkeypatch.setattr(packs, "PACK_BYTES", 4000)
    written, original = [], zipfile.ZipFile.writestr

    def fill_up(archive, info, content):
        written.append(info)
        if len(written) == 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        original(archive, info, content)

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "writestr", fill_up)
        code, _, err = lookbook("add", "pets", photos)
    assert code == 2
    assert "No space left on device" in err
    assert "Traceback" not in err
    assert not card_path("pets").exists()
    assert run("git", "status", "--porcelain", "-uall", cwd=repository).stdout == ""
    code, _, err = lookbook("add", "pets", photos)
    assert code == 0, err
    check_consistent()


def test_a_version_that_is_not_the_cards_stops_the_run(
    project, without_dvc, photos, lookbook, use, run_main
):
    lookbook("add", "pets", photos)
    use()
    table = Path("data/own/pets/list.csv")
    row = b"f" * 16 + b",cats/x.png,cats,,,train,00000.zip,x.png\n"
    table.write_bytes(table.read_bytes() + row)
    code, err = run_main(download.main)
    assert code == 2
    assert "Run `dvc checkout data/own/pets.dvc` to have the card's, or `lookbook add pets`" in err
    assert not Path("data/raw").exists()


def test_a_pack_that_is_missing_stops_the_run(
    project, without_dvc, photos, lookbook, use, run_main
):
    lookbook("add", "pets", photos)
    use()
    Path("data/own/pets/00000.zip").unlink()
    code, err = run_main(download.main)
    assert code == 2
    assert "Expected data/own/pets/00000.zip. Received: no such file. Run `dvc pull" in err


def test_an_older_commit_brings_the_older_photos(repository, photos, lookbook):
    lookbook("add", "pets", photos)
    commit(repository, "Pets")
    before, content = listed(), packed()
    write_photos(photos, {"cats": 3}, first=100)
    lookbook("add", "pets")
    commit(repository, "More pets")
    targets = ["--targets", "data/cards/pets.yaml"]
    changed = run("dvc", "params", "diff", "HEAD~1", *targets, cwd=repository)
    assert "counts.cats" in changed.stdout
    run("git", "checkout", "-q", "HEAD~1", cwd=repository)
    run("dvc", "checkout", "data/own/pets.dvc", cwd=repository)
    pd.testing.assert_frame_equal(listed(), before)
    assert packed() == content
    check_consistent()


# Slow: through DVC, with another clone, with kills


def figures(folder):
    """The content of what download and preprocess make."""
    paths = [*(folder / "data/raw").rglob("*"), *(folder / "data/processed").rglob("*")]
    return {path.relative_to(folder): path.read_bytes() for path in paths if path.is_file()}


def clone_of(repository, folder):
    """A second clone, whose code is its own."""
    run("git", "clone", "-q", str(repository), str(folder), cwd=repository)
    return folder


def call(folder, *words, check=True):
    """Run `lookbook` in a clone, as somebody with a cache of their own."""
    command = [sys.executable, "-m", "lookbook", *map(str, words)]
    return run(*command, cwd=folder, check=check)


@pytest.fixture
def shelf(tmp_path_factory):
    """A folder that is the remote."""
    return tmp_path_factory.mktemp("shelf")


@pytest.mark.slow
def test_the_same_bytes_without_the_folder_and_elsewhere(
    repository, photos, lookbook, use, shelf, tmp_path_factory, monkeypatch
):
    use()
    lookbook("add", "pets", photos)
    run("dvc", "remote", "add", "-d", "shelf", str(shelf), cwd=repository)
    run("git", "add", "-A", cwd=repository)
    run("dvc", "repro", "preprocess", cwd=repository)
    run("git", "add", "-A", cwd=repository)
    commit(repository, "Pets")
    run("dvc", "push", cwd=repository)
    before = figures(repository)
    assert len(before) > 10

    others = write_photos(photos.with_name("others"), {"ants": 5, "bees": 5}, first=500)
    photos.rename(photos.with_name("moved"))
    code, _, err = lookbook("add", "insects", others)
    assert code == 0, err
    code_file = repository / "lookbook/datasets/cards.py"
    code_file.write_text(code_file.read_text() + "\n# A comment.\n")
    run("dvc", "repro", "--force", "download", "preprocess", cwd=repository)
    assert figures(repository) == before
    check_consistent(root=repository)
    assert status_of(repository) == "Data and pipelines are up to date."
    run("git", "checkout", "-q", "--", "lookbook", cwd=repository)

    clone = clone_of(repository, tmp_path_factory.mktemp("elsewhere") / "clone")
    monkeypatch.setenv("LOOKBOOK_CACHE", str(clone.parent / "cache"))
    run("dvc", "pull", "data/own/pets.dvc", cwd=clone)
    run("dvc", "repro", "--force", "download", "preprocess", cwd=clone)
    assert figures(clone) == before
    assert run("git", "status", "--short", cwd=clone).stdout == ""


@pytest.mark.slow
def test_a_colleague_adds_withdraws_and_gives_back(
    repository, photos, lookbook, use, shelf, tmp_path_factory, monkeypatch
):
    use()
    lookbook("add", "pets", photos)
    run("dvc", "remote", "add", "-d", "shelf", str(shelf), cwd=repository)
    run("git", "add", "-A", cwd=repository)
    commit(repository, "Pets")
    run("dvc", "push", cwd=repository)
    owners = listed(root=repository)

    clone = clone_of(repository, tmp_path_factory.mktemp("colleague") / "clone")
    run("git", "config", "receive.denyCurrentBranch", "updateInstead", cwd=repository)
    photos.rename(photos.with_name("not here"))
    with monkeypatch.context() as patch:
        patch.setenv("LOOKBOOK_CACHE", str(clone.parent / "cache"))
        run("dvc", "pull", "data/own/pets.dvc", cwd=clone)
        birds = write_photos(clone.parent / "birds", {"hens": 3, "owls": 3}, first=500)
        call(clone, "add", "birds", birds)
        run("dvc", "repro", "download", "preprocess", cwd=clone)
        call(clone, "remove", "pets", "cats/3.png")
        check_consistent(root=clone)
        run("git", "add", "-A", cwd=clone)
        commit(clone, "Birds; a cat less")
        run("dvc", "push", cwd=clone)
        run("git", "push", "-q", "origin", "HEAD:main", cwd=clone)
    run("dvc", "pull", "data/own/pets.dvc", "data/own/birds.dvc", cwd=repository)
    check_consistent(root=repository)
    check_consistent("birds", root=repository)
    expected = owners[owners["name"] != "cats/3.png"].reset_index(drop=True)
    pd.testing.assert_frame_equal(listed(root=repository), expected)
    pd.testing.assert_frame_equal(listed("birds", repository), listed("birds", clone))
    run("dvc", "repro", "download", "preprocess", cwd=repository)
    counts = json.loads((repository / "data/processed/spec.json").read_text())["counts"]
    assert sum(counts.values()) == 19
    # The owner goes on where the photos are.
    call(repository, "add", "pets", photos.with_name("not here"))
    check_consistent(root=repository)


def killed(folder, *words, after):
    """Start a command, kill it and what it started after some seconds; return whether it ran."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lookbook", *map(str, words)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(after)
    was_running = process.poll() is None
    if was_running:
        started = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGKILL)
        psutil.wait_procs(started, timeout=30)  # DVC takes who is not reaped yet for alive
    process.wait()
    assert not psutil.pid_exists(process.pid)
    return was_running


def stopwatch(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


@pytest.mark.slow
def test_twenty_kills_of_add(repository, photos):
    run("git", "commit", "-qm", "Nothing", "--allow-empty", cwd=repository)
    call(repository, "add", "pets", photos)
    whole = stopwatch(lambda: call(repository, "add", "pets"))
    chance, kills, outcomes = random.Random(0), 0, set()
    for turn in range(20):
        write_photos(photos, {"cats": 5, "dogs": 5}, first=1000 + 10 * turn)
        old, content = listed(root=repository), packed(root=repository)
        kills += killed(repository, "add", "pets", after=chance.uniform(0.2, 1.1) * whole)
        new = listed(root=repository)
        outcomes.add(len(new) - len(old))
        pd.testing.assert_frame_equal(new.iloc[: len(old)], old)
        now = packed(root=repository)
        assert {name: now[name] for name in content} == content
        call(repository, "add", "pets")
        check_consistent(root=repository)
        assert len(listed(root=repository)) == len(old) + 10
        assert status_of(repository) == "Data and pipelines are up to date."
    assert outcomes <= {0, 10}
    assert kills >= 10


@pytest.mark.slow
def test_twenty_kills_of_a_purge(repository, photos):
    write_photos(photos, {"cats": 40, "dogs": 40}, first=1000)
    call(repository, "add", "pets", photos)
    whole = stopwatch(lambda: call(repository, "add", "pets"))
    chance, kills, outcomes = random.Random(1), 0, set()
    for _ in range(20):
        old = listed(root=repository)
        withdrawn = old.groupby("class").head(1)
        for name in withdrawn["name"]:
            (photos / name).unlink()
        words = ["remove", "pets", "--purge", *withdrawn["id"]]
        kills += killed(repository, *words, after=chance.uniform(0.2, 1.1) * whole)
        new = listed(root=repository)
        outcomes.add(len(old) - len(new))
        assert set(old["id"]) - set(new["id"]) in (set(), set(withdrawn["id"]))
        call(repository, "add", "pets")  # whatever was left half done
        check_consistent(root=repository)
        if len(new) == len(old):
            call(repository, *words)
            check_consistent(root=repository)
        held = set()
        for path in (repository / "data/own/pets").glob("*.zip"):
            with zipfile.ZipFile(path) as archive:
                held |= set(archive.namelist())
        assert not held & set(withdrawn["member"])
        assert len(listed(root=repository)) == len(old) - 2
        assert status_of(repository) == "Data and pipelines are up to date."
    assert outcomes <= {0, 2}
    assert kills >= 10


@pytest.mark.slow
def test_kills_of_a_first_add(repository, photos):
    whole = stopwatch(lambda: call(repository, "add", "others", photos))
    chance = np.random.default_rng(2)
    for _ in range(5):
        killed(repository, "add", "pets", photos, after=chance.uniform(0.2, 1.1) * whole)
        call(repository, "add", "pets", photos)
        check_consistent(root=repository)
        assert status_of(repository) == "Data and pipelines are up to date."
        run(
            "git",
            "rm",
            "-qf",
            "--cached",
            "data/cards/pets.yaml",
            "data/own/pets.dvc",
            cwd=repository,
        )
        shutil.rmtree(repository / "data/own/pets")
        (repository / "data/cards/pets.yaml").unlink()
        (repository / "data/own/pets.dvc").unlink()
