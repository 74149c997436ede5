"""What a folder of a store is told apart by, what of it is fetched, and what each fault is told."""

import errno
import logging
import sys
import threading
from types import SimpleNamespace

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.places import cache_folder
from lookbook.own import fetching
from lookbook.own.fetching import KINDS, Kind, Store

ADDRESS = "memory://shelf/pets"
FILES = {"cats/0.png": b"tom", "cats/1.png": b"kitty", "dogs/2.png": b"rex"}


@pytest.fixture
def memory(monkeypatch):
    """A store in memory that has FILES, as fsspec's file system."""
    monkeypatch.setitem(KINDS, "memory", Kind("pipeline", "fsspec", {}, {"on_error": "raise"}))
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    for name, content in FILES.items():
        system.pipe_file(f"/shelf/pets/{name}", content)
    yield system
    system.store.clear()


@pytest.fixture
def fetched(monkeypatch):
    """The names of files that are fetched, as they are."""
    names, original = [], MemoryFileSystem.get_file

    def get_file(system, source, target, **options):
        names.append(source.removeprefix("/shelf/pets/"))
        original(system, source, target, **options)

    monkeypatch.setattr(MemoryFileSystem, "get_file", get_file)
    return names


def fetch(address=ADDRESS):
    store = Store("pets", address)
    store.fetch(list(store.files))
    return store


def contents(store):
    return {name: store.path(name).read_bytes() for name in store.files}


def sentence(address=ADDRESS):
    with pytest.raises(LookbookError) as error:
        fetch(address)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def cached():
    return {path for path in cache_folder("pets.downloads").rglob("*") if path.is_file()}


def test_a_folder_is_listed_and_fetched(memory, fetched, caplog):
    caplog.set_level(logging.INFO, "add")
    memory.pipe_file("/shelf/pets2/other.png", b"no")
    store = fetch(f"{ADDRESS}/")
    assert store.address == ADDRESS
    assert list(store.files) == sorted(FILES)
    assert {name: file.size for name, file in store.files.items()} == {
        name: len(content) for name, content in FILES.items()
    }
    assert contents(store) == FILES
    assert sorted(fetched) == sorted(FILES)
    assert cached() == {store.path(name) for name in FILES}
    assert caplog.messages == [
        f"{ADDRESS}: listing",
        f"{ADDRESS}: 3 files, 3 of them to fetch (11 bytes)",
    ]


def test_only_what_changed_is_fetched_and_what_is_gone_is_forgotten(memory, fetched):
    fetch()
    fetched.clear()
    assert contents(fetch()) == FILES
    assert fetched == []
    memory.pipe_file("/shelf/pets/cats/0.png", b"max")  # of the same size
    memory.pipe_file("/shelf/pets/cats/3.png", b"new")
    memory.rm_file("/shelf/pets/dogs/2.png")
    store = fetch()
    assert sorted(fetched) == ["cats/0.png", "cats/3.png"]
    assert contents(store) == {"cats/0.png": b"max", "cats/1.png": b"kitty", "cats/3.png": b"new"}
    assert cached() == {store.path(name) for name in store.files}


def test_what_the_cache_has_lost_or_half_of_is_fetched_again(memory, fetched):
    store = fetch()
    fetched.clear()
    store.path("cats/0.png").unlink()
    store.path("cats/1.png").write_bytes(b"kit")
    assert contents(fetch()) == FILES
    assert sorted(fetched) == ["cats/0.png", "cats/1.png"]


def test_two_addresses_keep_their_files_apart(memory):
    whole, part = fetch(), fetch(f"{ADDRESS}/cats")
    assert list(part.files) == ["0.png", "1.png"]
    assert contents(whole) == FILES


def test_several_are_fetched_at_once(memory, monkeypatch):
    together = threading.Barrier(len(FILES))  # each waits for the others
    original = MemoryFileSystem.get_file

    def get_file(*arguments, **options):
        together.wait(20)
        original(*arguments, **options)

    monkeypatch.setattr(MemoryFileSystem, "get_file", get_file)
    assert contents(fetch()) == FILES


def test_a_file_that_goes_while_others_come_is_not_there(memory):
    store = Store("pets", ADDRESS)
    memory.rm_file("/shelf/pets/cats/0.png")
    store.fetch(list(FILES))
    assert not store.path("cats/0.png").exists()
    assert store.path("cats/1.png").read_bytes() == b"kitty"


def test_what_came_before_the_connection_was_lost_is_kept(memory, fetched, monkeypatch):
    def lose(system, source, target, **options):
        if source.endswith("2.png"):
            raise ConnectionResetError("Connection reset by peer")
        with open(target, "wb") as file:  # noqa: PTH123
            file.write(system.cat_file(source))

    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "get_file", lose)
        assert sentence() == (
            f"Expected to fetch 3 files from {ADDRESS}. Received: Connection reset by peer; what "
            "has come is kept, and is not fetched again. Check the address, the network and your "
            "rights there (docs/sharing.md), then run the command again."
        )
    assert len(cached()) == 2
    assert contents(fetch()) == FILES
    assert fetched == ["dogs/2.png"]


def test_half_a_file_is_not_kept(memory, monkeypatch):
    def break_off(system, source, target, **options):
        with open(target, "wb") as file:  # noqa: PTH123
            file.write(system.cat_file(source)[:2])

    monkeypatch.setattr(MemoryFileSystem, "get_file", break_off)
    assert "Received: 2 of the 3 bytes of cats/0.png; what has come is kept" in sentence()
    assert cached() == set()
    assert list(cache_folder("pets.downloads").rglob(".partial*")) == []


def test_no_more_is_taken_than_the_list_says(memory):
    store = Store("pets", ADDRESS)
    memory.pipe_file("/shelf/pets/cats/0.png", b"x" * 1000)
    with pytest.raises(LookbookError, match="Received: more than the 3 bytes of cats/0.png;"):
        store.fetch(list(FILES))
    assert not store.path("cats/0.png").exists()
    assert contents(fetch())["cats/0.png"] == b"x" * 1000


def test_a_full_disk_is_told_as_such(memory, monkeypatch):
    def fill(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(MemoryFileSystem, "get_file", fill)
    with pytest.raises(OSError, match="No space left"):
        fetch()
    assert cached() == set()


def test_a_disk_that_is_too_small_is_seen_before(memory, fetched, monkeypatch):
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda folder: SimpleNamespace(free=10))
    assert "Expected 11 bytes of free disk space for the photos of memory://shelf/pets. Received: "
    assert "10 at " in sentence()
    assert fetched == []


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("memory://shelf/none", "at memory://shelf/none. Received: nothing of that name."),
        ("memory://nowhere/pets", "at memory://nowhere/pets. Received: nothing of that name."),
        (f"{ADDRESS}/cats/0.png", "Received: a file. Mend the address; an archive or a list"),
        ("memory://", "like memory://bucket/folder. Received: 'memory://'. Complete it."),
        ("ftp://host/x", "one of http://, https://, s3://, gs://, az://, ssh://, sftp://, "),
        ("S3://shelf/pets", "Received: 'S3://'."),
        ("ssh://host", "like ssh://host/folder. Received: 'ssh://host'. Complete it."),
    ],
)
def test_each_wrong_address_has_a_sentence(memory, address, expected):
    assert expected in sentence(address)


@pytest.mark.parametrize(
    "address",
    [
        "s3://AKIAHUNTER:hunter2@shelf/pets",
        "s3://AKIAHUNTER:hun/ter2@shelf/pets",
        "s3://hunter2@shelf/pets",
        "gs://hunter2@shelf/pets",
        "az://shelf/pets?sig=hunter2",
        "s3://shelf/pets?X-Amz-Signature=hunter2",
        "s3://shelf/pets#hunter2",
        "ssh://user:hunter2@host/pets",
        "ssh://user:hun/ter2@host/pets",
        "sftp://:hunter2@host/pets",
        "s3://shelf/cats::hunter2",
        "s3://shelf/\u202ehunter2",
    ],
)
def test_an_address_with_a_secret_is_refused_and_not_shown(address):
    said = sentence(address)
    assert "without a password, a key, a question mark, # or ::, since it will stand on the" in said
    assert "ter2" not in said
    assert "HUNTER" not in said


@pytest.mark.parametrize(
    ("address", "package", "extra"),
    [
        ("s3://shelf/pets", "s3fs", "s3"),
        ("gs://shelf/pets", "gcsfs", "gs"),
        ("az://shelf/pets", "adlfs", "azure"),
        ("ssh://somebody@host:22/pets", "sshfs", "ssh"),
        ("sftp://host/pets", "sshfs", "ssh"),
    ],
)
def test_what_is_not_installed_is_named_with_its_extra(monkeypatch, address, package, extra):
    monkeypatch.setitem(sys.modules, package, None)
    assert f"Received: no {package}. Run `pip install 'lookbook[{extra}]'`" in sentence(address)
