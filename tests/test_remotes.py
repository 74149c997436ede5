"""Remotes that are no folders: data pushed to and pulled from them, photos taken in from them."""

import logging
import sys
import threading
from pathlib import Path

import pytest
from stores import KEYS
from support import check_consistent, listed, packed, picture, read_card, run, write_photos

from lookbook.own.fetching import Store
from lookbook.own.scanning import Columns, Grouping, Manner, look


@pytest.fixture
def told(caplog):
    """A function that returns the last line that `add` said on its way."""
    caplog.set_level(logging.INFO, "add")
    return lambda: [record.message for record in caplog.records if record.name == "add"][-1]


@pytest.fixture
def bucket(s3, photos):
    """The photos at s3://shelf/photos."""
    s3.upload(photos, "photos")
    return "s3://shelf/photos"


def sentence(lookbook, *words):
    code, out, err = lookbook("add", "pets", *words)
    assert code == 2, out + err
    assert out == ""
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert "Traceback" not in err
    assert len(lines) == 1
    assert lines[0] == err.splitlines()[-1]
    assert not Path("data/own/pets").exists()
    assert not Path("data/cards/pets.yaml").exists()
    return lines[0]


def names_of(photos):
    return sorted(f"photos/{path.relative_to(photos).as_posix()}" for path in photos.rglob("*.png"))


def test_a_bucket_makes_the_same_set_as_its_folder(
    project, without_dvc, photos, bucket, lookbook, s3, told
):
    code, out, err = lookbook("add", "pets", bucket)
    assert code == 0, err
    assert told().startswith(f"{bucket}: 20 files, 20 of them to fetch (")
    assert s3.fetched() == [f"shelf/{name}" for name in names_of(photos)]
    assert read_card("pets")["source"]["places"] == [bucket]
    check_consistent()
    lookbook("add", "others", photos)
    assert listed().equals(listed("others"))
    assert packed() == packed("others")


def test_only_what_changed_in_a_bucket_is_fetched(
    project, without_dvc, photos, bucket, lookbook, s3, told
):
    lookbook("add", "pets", bucket)
    s3.requests.clear()
    code, out, err = lookbook("add", "pets")
    assert code == 0, err
    assert "nothing has changed" in out
    assert told() == f"{bucket}: 20 files, 0 of them to fetch (0 bytes)"
    assert (s3.fetched(), s3.listings()) == ([], 2)  # what the folder is, and what is in it
    client = s3.client()
    client.put_object(Bucket="shelf", Key="photos/cats/0.png", Body=picture(100))
    client.put_object(Bucket="shelf", Key="photos/dogs/new.png", Body=picture(101))
    client.delete_object(Bucket="shelf", Key="photos/dogs/10.png")
    s3.requests.clear()
    code, out, _ = lookbook("status", "pets")
    assert out.splitlines() == [
        "1 new: dogs/new.png",
        "1 changed: cats/0.png",
        "1 gone: dogs/10.png",
        "18 photos are as they were taken in",
    ]
    assert s3.fetched() == ["shelf/photos/cats/0.png", "shelf/photos/dogs/new.png"]
    s3.requests.clear()
    code, out, err = lookbook("add", "pets")
    assert code == 0, err
    assert "pets: 22 photos of 2 classes, 2 of them new" in out
    assert s3.fetched() == []
    check_consistent()


def test_what_is_no_photo_is_named_and_not_fetched(project, bucket, lookbook, s3):
    client = s3.client()
    for key in ("cats/", "cats/notes.txt", "cover.png", ".hidden/2.png"):
        client.put_object(Bucket="shelf", Key=f"photos/{key}", Body=b"")
    for key in ("cats//0.png", "../1.png", "cats/a\nb.png"):
        s3.put("shelf", f"photos/{key}", b"")
    s3.requests.clear()
    code, out, err = lookbook("add", "pets", bucket, "--dry-run")
    assert code == 0, err
    assert "pets: 20 photos of 2 classes, 20 of them new" in out
    assert "left out, not a picture's name: 1 (cats/notes.txt)" in out
    assert "left out, a name that is no path: 1 (cats//0.png)" in out
    assert "left out, a name with control characters: 1 (cats/a\\nb.png)" in out
    assert "left out, in no class folder: 1 (cover.png)" in out
    assert len(s3.fetched()) == 20


def test_a_photo_that_is_too_large_is_not_fetched(photos, bucket, s3, monkeypatch):
    most = max(path.stat().st_size for path in photos.rglob("*.png"))
    s3.client().put_object(Bucket="shelf", Key="photos/cats/huge.png", Body=b"x" * (most + 1))
    s3.requests.clear()
    monkeypatch.setattr("lookbook.own.scanning.MAX_PICTURE_BYTES", most)
    place = look("pets", bucket, Manner(Columns(), Grouping(), frozenset()))
    assert f"file over {most:,} bytes" in list(place.contents())
    assert s3.fetched() == [f"shelf/{name}" for name in names_of(photos)]


def test_an_unsorted_folder_is_not_fetched(project, bucket, lookbook, s3):
    assert "Expected" in sentence(lookbook, f"{bucket}/cats")
    s3.client().put_object(Bucket="shelf", Key="photos/birds/notes.txt", Body=b"none yet")
    assert f"in every folder of {bucket}. Received: none in 'birds'." in sentence(lookbook, bucket)
    s3.client().put_object(Bucket="shelf", Key="notes/of/may.txt", Body=b"none")
    assert "s3://shelf/notes. Received: none in 'of'." in sentence(lookbook, "s3://shelf/notes")
    assert s3.fetched() == []


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("s3://nowhere/photos", "at s3://nowhere/photos. Received: no such bucket, nowhere."),
        ("s3://nowhere", "at s3://nowhere. Received: no such bucket, nowhere."),
        ("s3://shelf/none", "at s3://shelf/none. Received: nothing of that name."),
        ("s3://shelf", "in every folder of s3://shelf. Received: no picture."),
        ("s3://shut/photos", "to list s3://shut/photos. Received: no right to do so (Forbidden)."),
    ],
)
def test_each_bucket_that_is_of_no_use_has_a_sentence(project, lookbook, s3, address, expected):
    s3.shut("shut")
    assert expected in sentence(lookbook, address)


def test_a_bucket_that_is_everybodys_needs_no_credentials(
    project, photos, bucket, lookbook, s3, monkeypatch
):
    for name in KEYS:
        monkeypatch.delenv(name)
    assert f"to list {bucket}. Received: Unable to locate credentials." in sentence(
        lookbook, bucket
    )
    monkeypatch.setenv("FSSPEC_S3_ANON", "true")
    command = (sys.executable, "-m", "lookbook", "add", "pets", bucket, "--dry-run")
    done = run(*command, cwd=project, check=False)  # who may list it, but read nothing
    assert done.returncode == 2
    assert f"to fetch 20 files from {bucket}. Received: no right to do so" in done.stderr
    for name in names_of(photos):
        s3.client().put_object_acl(Bucket="shelf", Key=name, ACL="public-read")
    assert "pets: 20 photos of 2 classes, 20 of them new" in run(*command, cwd=project).stdout


def test_an_endpoint_that_nobody_answers_at_has_a_sentence(project, bucket, lookbook, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    said = sentence(lookbook, bucket)
    assert f"to list {bucket}. Received: Could not connect to the endpoint URL" in said
    assert "Check the address, the network and your rights there" in said


def test_a_server_that_goes_midway_leaves_what_was_fetched(
    project, without_dvc, bucket, photos, lookbook, s3, told
):
    def stop(request):
        if len(s3.fetched()) == 5:
            s3.when_asked = None
            threading.Thread(target=s3.stop).start()

    s3.when_asked = stop
    said = sentence(lookbook, bucket)
    assert f"to fetch 20 files from {bucket}. Received: " in said
    assert "; what has come is kept, and is not fetched again. Check" in said
    before = set(s3.fetched())
    assert 5 <= len(before) < 20
    s3.start()
    s3.requests.clear()
    code, _, err = lookbook("add", "pets", bucket)
    assert code == 0, err
    assert told().startswith(f"{bucket}: 20 files, {len(s3.fetched())} of them to fetch (")
    assert 0 < len(s3.fetched()) < 20
    assert before | set(s3.fetched()) == {f"shelf/{name}" for name in names_of(photos)}
    check_consistent()


def test_a_long_list_is_read_by_the_page(s3, monkeypatch):
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")  # of a page
    client = s3.client()
    for number in range(25):
        client.put_object(Bucket="shelf", Key=f"pets/{number}/{number}.png", Body=b"x")
    s3.requests.clear()
    assert len(Store("pets", "s3://shelf/pets").files) == 25
    assert s3.listings() == 1 + 3  # what the folder is, and what is in it
    assert len(s3.requests) == 1 + 4


def test_photos_come_from_a_host(project, without_dvc, photos, lookbook, ssh, told):
    address = f"{ssh}{photos}"
    (photos / "cats/linked.png").symlink_to(photos / "cats/0.png")
    code, out, err = lookbook("add", "pets", address)
    assert code == 0, err
    assert told().startswith(f"{address}: 20 files, 20 of them to fetch (")
    assert "left out, not a plain file: 1 (cats/linked.png)" in out
    write_photos(photos, {"cats": 1}, first=100)
    code, out, err = lookbook("add", "pets")
    assert code == 0, err
    assert told().startswith(f"{address}: 21 files, 1 of them to fetch (")
    check_consistent()


def test_a_host_that_is_not_known_has_a_sentence(project, photos, lookbook, ssh):
    known = Path.home() / ".ssh/known_hosts"
    known.write_text(known.read_text().replace("127.0.0.1", "127.0.0.2"))
    assert f"to list {ssh}{photos}. Received: Host key is not trusted" in sentence(
        lookbook, f"{ssh}{photos}"
    )


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (lambda key: key.unlink(), "Received: no right to do so (Permission denied for user"),
        (None, "/nowhere. Received: nothing of that name."),
    ],
)
def test_each_host_that_is_of_no_use_has_a_sentence(project, lookbook, ssh, fault, expected):
    if fault:
        fault(Path.home() / ".ssh/id_ed25519")
    assert expected in sentence(lookbook, f"{ssh}/nowhere")


# Slow: through DVC, with another clone


def check_shared(repository, photos, lookbook, tmp_path_factory, settings):
    """Fail unless what one clone pushes another pulls."""
    lookbook("add", "pets", photos)
    for words in settings:
        run("dvc", "remote", *words, cwd=repository)
    run("git", "add", "-A", cwd=repository)
    run("git", "commit", "-qm", "Pets", cwd=repository)
    assert "file" in run("dvc", "push", cwd=repository).stdout
    assert run("dvc", "push", cwd=repository).stdout.strip() == "Everything is up to date."
    other = tmp_path_factory.mktemp("other") / "clone"
    run("git", "clone", "-q", str(repository), str(other), cwd=repository)
    run("dvc", "pull", "data/own/pets.dvc", cwd=other)
    assert packed(root=other) == packed()
    check_consistent(root=other)
    status = run(sys.executable, "-m", "lookbook", "doctor", cwd=other, check=False)
    assert "unpushed" not in status.stdout + status.stderr


@pytest.mark.slow
def test_a_set_is_pushed_to_s3_and_pulled(repository, photos, lookbook, tmp_path_factory, s3):
    settings = [
        ("add", "-d", "shelf", "s3://shelf/lookbook"),
        ("modify", "shelf", "endpointurl", s3.address),
    ]
    check_shared(repository, photos, lookbook, tmp_path_factory, settings)


@pytest.mark.slow
def test_a_set_is_pushed_over_ssh_and_pulled(repository, photos, lookbook, tmp_path_factory, ssh):
    folder = tmp_path_factory.mktemp("shelf")
    settings = [("add", "-d", "shelf", f"{ssh}{folder}")]
    check_shared(repository, photos, lookbook, tmp_path_factory, settings)
