"""The Kaggle source: Kaggle's real client against a local server that speaks its protocol."""

import hashlib
import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from support import read_card, send, write_card

TABLES = {
    "sign_mnist_train.csv": b"label,pixel1\r\n0,1\r\n" * 9000,
    "sign_mnist_test.csv": b"label,pixel1\r\n1,2\r\n",
}
NAME = "sign-language-mnist.zip"
TOKEN = "KGAT_0123456789abcdef0123456789abcdef"
KEY = "abcdef0123456789abcdef0123456789"


def zipped(tables):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in tables.items():
            archive.writestr(name, content)
            archive.writestr(f"{name[:-4]}/{name}", content)
    return file.getvalue()


ZIP = zipped(TABLES)


@pytest.fixture
def kaggle(set_params, serve, monkeypatch, tmp_path_factory):
    """A function that runs download against a server answering with `answer`."""
    card = read_card("sign_language_mnist")
    card["files"][0]["members"] = {
        name: hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()
        for name, content in TABLES.items()
    }
    write_card("sign_language_mnist", card)
    set_params(dataset="sign_language_mnist")
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith("KAGGLE")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))

    def run(answer, files=lambda handler: send(handler, ZIP), bounds="", **environment):
        asked = []

        def protocol(handler):
            length = int(handler.headers.get("Content-Length") or 0)
            body = json.loads(handler.rfile.read(length) or "{}")
            asked.append((handler.path, body, handler.headers.get("Authorization")))
            if "IntrospectToken" in handler.path:
                return send(handler, json.dumps({"active": True, "username": "u"}).encode())
            if "DownloadDataset" in handler.path:
                return answer(handler, f"{base}/files/{NAME}")
            return files(handler)

        base, _ = serve(protocol)
        code = (
            "import time; time.sleep = lambda seconds: None\n"  # the client's pauses
            "import kagglesdk.kaggle_env as environment\n"
            f"environment._env_to_endpoint[environment.KaggleEnv.PROD] = {base!r}\n"
            f"from lookbook.foundation import downloading\n{bounds}\n"
            "from stages import download; download.main()"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=60,
            env=os.environ | environment,
        )
        said = done.stdout + done.stderr
        assert "Traceback" not in said, said
        for secret in (TOKEN, KEY):
            assert secret not in said
            for path in Path().rglob("*"):
                assert not path.is_file() or secret.encode() not in path.read_bytes()
        return done.returncode, said, asked

    return run


def redirect(handler, address):
    handler.send_response(302)
    handler.send_header("Location", address)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def cached():
    return [path.name for path in Path(os.environ["LOOKBOOK_CACHE"]).rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"KAGGLE_API_TOKEN": TOKEN},
        {"KAGGLE_USERNAME": "user", "KAGGLE_KEY": KEY},
    ],
    ids=["anonymous", "token", "user name and key"],
)
def test_a_public_set_comes_with_and_without_credentials(kaggle, credentials):
    code, said, asked = kaggle(redirect, **credentials)
    assert code == 0, said
    assert Path("data/raw", NAME).read_bytes() == ZIP
    request = next(body for path, body, _ in asked if "DownloadDataset" in path)
    assert request == {"ownerSlug": "datamunge", "datasetSlug": "sign-language-mnist"}
    authorization = [header for _, _, header in asked if header]
    assert bool(authorization) == bool(credentials)
    assert cached() == [NAME]
    code, said, again = kaggle(lambda handler, _: send(handler, b"", status=500))
    assert code == 0, said
    assert not again  # from the cache


def test_credentials_in_a_file_are_found(kaggle):
    folder = Path.home() / ".kaggle"
    folder.mkdir()
    (folder / "kaggle.json").write_text(json.dumps({"username": "user", "key": KEY}))
    (folder / "kaggle.json").chmod(0o600)
    code, said, asked = kaggle(redirect)
    assert code == 0, said
    assert any(header for _, _, header in asked)


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("credentials", [{}, {"KAGGLE_API_TOKEN": TOKEN}], ids=["none", "token"])
def test_no_access_says_the_three_ways_and_the_mirror(kaggle, status, credentials):
    body = json.dumps({"code": status, "message": f"no {TOKEN}"}).encode()

    def refuse(handler, _):
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    code, said, _ = kaggle(refuse, **credentials)
    assert code == 2
    assert f"Received: HTTP status {status}." in said
    for way in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME and KAGGLE_KEY", "~/.kaggle/kaggle.json"):
        assert way in said
    assert f"sign_language_mnist/{NAME} below the folder that LOOKBOOK_MIRROR names" in said
    assert len(said.strip().splitlines()) == 1
    assert not cached()
    assert not Path("data/raw").exists()


def test_a_cut_connection_leaves_nothing(kaggle):
    code, said, asked = kaggle(
        redirect,
        files=lambda handler: send(handler, ZIP[:20_000], promised=len(ZIP)),
        KAGGLE_API_TOKEN=TOKEN,
    )
    assert len([path for path, _, _ in asked if path == f"/files/{NAME}"]) > 1  # it tried again
    assert code == 2
    assert "Received: no connection, or it broke off" in said
    assert not cached()


def test_a_client_that_waits_for_ever_is_given_up(kaggle):
    release = threading.Event()

    def wait(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(ZIP)))
        handler.end_headers()
        handler.wfile.write(ZIP[:100])
        handler.wfile.flush()
        release.wait(30)

    code, said, _ = kaggle(redirect, files=wait, bounds="downloading.WINDOW = 1.0")
    release.set()
    assert code == 2
    assert "Received: under 1,024 bytes a second." in said
    assert not cached()


def test_a_client_that_takes_too_much_is_given_up(kaggle):
    release = threading.Event()

    def swell(handler):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(200):
            handler.wfile.write(bytes(2**20))
        release.wait(30)

    code, said, _ = kaggle(redirect, files=swell, bounds="downloading.MOST_BYTES = 2**20")
    release.set()
    assert code == 2
    assert "bytes and more, over 1,048,576." in said
    assert not cached()


@pytest.mark.parametrize(
    ("content", "received"),
    [
        (ZIP[:-30_000], "to be a whole archive"),
        (ZIP.replace(b"0,1", b"0,2"), "to be a whole archive"),
        (b"<html>log in</html>", "to be a whole archive"),
        (zipped({"other.csv": b""}), "an archive without sign_mnist_t"),
        (zipped(TABLES | {"sign_mnist_test.csv": b"label"}), "for its sign_mnist_test.csv, not"),
    ],
    ids=["cut off", "damaged", "a page", "another archive", "another table"],
)
def test_a_wrong_zip_is_refused(kaggle, content, received):
    code, said, _ = kaggle(redirect, files=lambda handler: send(handler, content))
    assert code == 2
    assert received in said
    assert not cached()
    assert not Path("data/raw").exists()


def test_the_mirror_comes_first(kaggle, tmp_path):
    folder = tmp_path / "mirror/sign_language_mnist"
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(zipped({n: t.replace(b"\r\n", b"\n") for n, t in TABLES.items()}))
    code, said, asked = kaggle(redirect, LOOKBOOK_MIRROR=str(tmp_path / "mirror"))
    assert code == 0, said
    assert not asked
    (folder / NAME).write_bytes(b"stale")
    code, said, asked = kaggle(
        redirect, LOOKBOOK_MIRROR=str(tmp_path / "mirror"), LOOKBOOK_CACHE=str(tmp_path / "new")
    )
    assert code == 0, said
    assert asked
