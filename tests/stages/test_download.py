"""Sources and the download stage, against local servers that misbehave as real ones do."""

import hashlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from support import read_card, send, write_card

from lookbook.datasets.cards import load_card
from lookbook.sources import http as http_source
from stages import download

CONTENT = bytes(range(256)) * 400
NAME = "pictures.bin"
GOOD = f"/{NAME}"


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(http_source, "PAUSE", 0)


@pytest.fixture
def use_origins(set_params):
    """A function that makes a card `small` of one file, with these origins, the chosen one."""

    def use(*origins, sha256=None):
        card = read_card("mnist")
        sha256 = sha256 or hashlib.sha256(CONTENT).hexdigest()
        card["files"] = [{"name": NAME, "bytes": len(CONTENT), "sha256": sha256}]
        card["source"]["origins"] = list(origins)
        write_card("small", card)
        set_params(dataset="small")

    return use


def raw_files():
    return {path.name: path.read_bytes() for path in Path("data/raw").glob("*")}


def cached_files():
    return [path for path in Path(os.environ["LOOKBOOK_CACHE"]).rglob("*") if path.is_file()]


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_digits_come_from_the_package_byte_for_byte(project, run_main):
    code, err = run_main(download.main)
    assert code == 0, err
    digest = hashlib.sha256(raw_files()["digits.csv.gz"]).hexdigest()
    assert digest == "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"
    metrics = json.loads(Path("metrics/download.json").read_text())
    assert metrics == {"files": 1, "bytes": 57523}


def test_a_changed_bundled_file_is_refused(project, run_main):
    card = read_card("digits")
    card["files"][0]["sha256"] = "0" * 64
    write_card("digits", card)
    code, err = run_main(download.main)
    assert code == 2
    assert "Expected digits.csv.gz (57,523 bytes, SHA-256 0000" in err
    assert "Received: the SHA-256 09f66e6debdee2cd" in err
    assert not Path("data/raw").exists()


def test_a_file_is_fetched_once_a_machine(use_origins, serve, run_main):
    origin, requests = serve(lambda handler: send(handler, CONTENT))
    use_origins(origin)
    for _ in range(2):
        code, err = run_main(download.main)
        assert code == 0, err
    assert requests == [GOOD]
    assert raw_files() == {NAME: CONTENT}


@pytest.mark.parametrize(
    ("answer", "reason", "asked"),
    [
        (lambda handler: send(handler, b"", status=404), "HTTP status 404", 1),
        (lambda handler: send(handler, b"", status=500), "HTTP status 500", 2),
        (lambda handler: send(handler, CONTENT[:9000], promised=len(CONTENT)), "broke off", 2),
        (lambda handler: send(handler, CONTENT[:9000]), "does not match the known hash", 1),
        (lambda handler: send(handler, CONTENT[::-1]), "does not match the known hash", 1),
    ],
    ids=["404", "500", "stops halfway", "truncated", "wrong bytes"],
)
def test_a_bad_origin_is_told_and_the_next_one_tried(
    use_origins, serve, run_main, answer, reason, asked
):
    bad, bad_requests = serve(answer)
    use_origins(bad)
    code, err = run_main(download.main)
    assert code == 2
    assert f"{bad}: " in err
    assert reason in err
    assert hashlib.sha256(CONTENT).hexdigest() in err
    assert "Traceback" not in err
    assert len(bad_requests) == asked
    assert not cached_files()
    assert not Path("data/raw").exists()

    good, _ = serve(lambda handler: send(handler, CONTENT))
    use_origins(bad, good)
    code, err = run_main(download.main)
    assert code == 0, err
    assert raw_files() == {NAME: CONTENT}


def test_a_wrong_hash_is_told_with_the_one_received(use_origins, serve, run_main):
    origin, _ = serve(lambda handler: send(handler, b"something else"))
    use_origins(origin)
    _, err = run_main(download.main)
    assert hashlib.sha256(CONTENT).hexdigest() in err
    assert hashlib.sha256(b"something else").hexdigest() in err


def test_an_origin_that_recovers_is_used(use_origins, serve, run_main):
    answers = [503, 200]
    origin, requests = serve(
        lambda handler: send(handler, CONTENT, status=answers[len(requests) - 1])
    )
    use_origins(origin)
    code, err = run_main(download.main)
    assert code == 0, err
    assert requests == [GOOD, GOOD]


def test_no_network_and_no_mirror_says_what_to_do(use_origins, run_main):
    use_origins(free_address(), free_address())
    code, err = run_main(download.main)
    assert code == 2
    assert "from one of 2 origins" in err
    assert "set LOOKBOOK_MIRROR to a folder or address that holds small/pictures.bin" in err


def test_a_folder_mirror_comes_first(use_origins, serve, run_main, tmp_path, monkeypatch):
    origin, requests = serve(lambda handler: send(handler, CONTENT))
    use_origins(origin)
    folder = tmp_path / "mirror" / "small"
    folder.mkdir(parents=True)
    monkeypatch.setenv("LOOKBOOK_MIRROR", str(tmp_path / "mirror"))
    (folder / NAME).write_bytes(CONTENT)
    code, err = run_main(download.main)
    assert code == 0, err
    assert requests == []


def test_a_mirror_with_other_bytes_is_passed_over(
    use_origins, serve, run_main, tmp_path, monkeypatch
):
    origin, requests = serve(lambda handler: send(handler, CONTENT))
    use_origins(origin)
    folder = tmp_path / "mirror" / "small"
    folder.mkdir(parents=True)
    monkeypatch.setenv("LOOKBOOK_MIRROR", str(tmp_path / "mirror"))
    (folder / NAME).write_bytes(b"stale")
    code, err = run_main(download.main)
    assert code == 0, err
    assert requests == [GOOD]


def test_what_follows_a_question_mark_in_an_address_is_not_printed(
    use_origins, serve, run_main, monkeypatch
):
    base, _ = serve(lambda handler: send(handler, b"", status=404))
    use_origins(base)
    monkeypatch.setenv("LOOKBOOK_MIRROR", f"{base}/files?token=hidden")
    code, err = run_main(download.main)
    assert code == 2
    assert f"{base}/files: HTTP status 404" in err
    assert "hidden" not in err


@pytest.mark.parametrize("base", ["http://[::1/x", "~nobody-of-this-name/x"])
def test_a_mirror_that_is_no_place_has_a_sentence(use_origins, run_main, monkeypatch, base):
    use_origins("http://[::2/y")
    monkeypatch.setenv("LOOKBOOK_MIRROR", base)
    code, err = run_main(download.main)
    assert code == 2
    assert "an address that is none" in err or f"Received: {base!r}" in err


def test_an_http_mirror_keeps_its_password_to_itself(use_origins, serve, run_main, monkeypatch):
    mirror, requests = serve(lambda handler: send(handler, b"", status=404))
    use_origins(free_address())
    monkeypatch.setenv("LOOKBOOK_MIRROR", mirror.replace("//", "//user:secret@") + "/files/")
    code, err = run_main(download.main)
    assert code == 2
    assert requests == [f"/files/small{GOOD}"]
    assert "secret" not in err


def test_a_damaged_cache_is_mended(use_origins, serve, run_main):
    origin, requests = serve(lambda handler: send(handler, CONTENT))
    use_origins(origin)
    run_main(download.main)
    cached_files()[0].write_bytes(b"rot")
    code, err = run_main(download.main)
    assert code == 0, err
    assert len(requests) == 2
    assert raw_files() == {NAME: CONTENT}


def test_the_archive_is_asked_for_as_it_is(use_origins, serve, run_main):
    encodings = []

    def answer(handler):
        encodings.append(handler.headers["Accept-Encoding"])
        send(handler, CONTENT)

    origin, _ = serve(answer)
    use_origins(origin)
    run_main(download.main)
    assert encodings == ["identity"]


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_published_files_have_the_hashes_of_the_cards(
    set_params, run_main, monkeypatch, mirror, name
):
    monkeypatch.setenv("LOOKBOOK_MIRROR", str(mirror))
    set_params(dataset=name)
    code, err = run_main(download.main)
    assert code == 0, err
    assert len(raw_files()) == 4


@pytest.mark.network
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_every_published_address_still_answers(project, tmp_path, name):
    card = load_card(name)
    smallest = min(card.files, key=lambda file: file.bytes)
    for number, origin in enumerate(card.source.origins):
        path = http_source.fetch_file(smallest, [origin], tmp_path / str(number))
        assert path.stat().st_size == smallest.bytes


@pytest.mark.parametrize("stage", ["download", "preprocess", "baseline"])
def test_stages_that_do_not_train_leave_tensorflow_alone(stage):
    code = f"import sys, stages.{stage}; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_set_that_only_the_mirror_has(project, set_params, run_main, monkeypatch, tmp_path):
    content = b"not really a zip"
    card = read_card("flowers_sample")
    file = card["files"][0]
    file["bytes"], file["sha256"] = len(content), hashlib.sha256(content).hexdigest()
    write_card("flowers_sample", card)
    set_params(dataset="flowers_sample")
    code, err = run_main(download.main)
    assert code == 2
    assert "Expected LOOKBOOK_MIRROR to name a folder or address with samples/flowers_sam" in err
    monkeypatch.setenv("LOOKBOOK_MIRROR", str(tmp_path / "mirror"))
    code, err = run_main(download.main)
    assert code == 2
    assert "no such file" in err
    (tmp_path / "mirror/samples").mkdir(parents=True)
    (tmp_path / "mirror/samples/flowers_sample.zip").write_bytes(content)
    assert run_main(download.main)[0] == 0
    assert Path("data/raw/flowers_sample.zip").read_bytes() == content
    monkeypatch.delenv("LOOKBOOK_MIRROR")  # the cache has it now
    assert run_main(download.main)[0] == 0
