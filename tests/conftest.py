"""What the tests share: isolation from the user's settings, small data sets, local servers."""

import http.server
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path

import pytest
import yaml
from clusters import Cluster
from stores import KEYS, REGION, S3, ssh_server
from support import BROWSERS, TINY, copy_project, light_card, run, write_photos

from lookbook.__main__ import main
from lookbook.cluster import connecting
from lookbook.foundation.arithmetic import settle

settle()  # TensorFlow computes here as it does in the stages


@pytest.fixture(autouse=True)
def isolated(monkeypatch, tmp_path_factory):
    """No test sees the user's cache, mirror, DVC settings or Git settings."""
    private = tmp_path_factory.mktemp("private")
    monkeypatch.setenv("LOOKBOOK_CACHE", str(private / "cache"))
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(private / "dvc"))
    monkeypatch.setenv("DVC_SYSTEM_CONFIG_DIR", str(private / "dvc-system"))
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(private / "dvc-site"))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.com")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for name in ("LOOKBOOK_MIRROR", "DASK_SCHEDULER_ADDRESS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder that holds the published files, as the user's environment names it."""
    folder = os.environ.get("LOOKBOOK_MIRROR")
    if not folder or not Path(folder, "mnist").is_dir():
        pytest.skip("LOOKBOOK_MIRROR names no folder with the published files")
    return Path(folder).absolute()


@pytest.fixture(scope="module")  # it has an event loop, and other modules have their own
def chromium():
    """The Chromium that the system has, without a window; without it, tests are skipped."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not program:
        pytest.skip("there is no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


def pytest_collection_modifyitems(items):
    """Mark the tests that read published files or samples: `-m mirror`."""
    for item in items:
        if "mirror" in getattr(item, "fixturenames", ()):
            item.add_marker("mirror")


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A copy of the project in a folder of its own, which is made the current one."""
    copy_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def digits_data(tmp_path_factory) -> Path:
    """A folder `data` with digits downloaded and processed, made once."""
    folder = tmp_path_factory.mktemp("digits")
    copy_project(folder)
    for stage in ("download", "preprocess"):
        run(sys.executable, "-m", f"stages.{stage}", cwd=folder)
    return folder / "data"


@pytest.fixture
def set_params(project):
    """A function that changes params.yaml of the project copy: `set_params(**{"a.b": 1})`."""

    def change(**changes):
        path = project / "params.yaml"
        params = yaml.safe_load(path.read_text())
        for name, value in changes.items():
            *sections, key = name.split(".")
            section = params
            for part in sections:
                section = section[part]
            section[key] = value
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    return change


@pytest.fixture
def repository(project, set_params):
    """The project copy as a Git repository with a tiny configuration."""
    set_params(**TINY)
    run("git", "init", "-q", "-b", "main", cwd=project)
    run("git", "add", "-A", cwd=project)
    run("git", "commit", "-qm", "start", cwd=project)
    return project


@pytest.fixture(scope="session")
def finished_copy(tmp_path_factory) -> Path:
    """Where the first test that wants a finished repository leaves a copy for the others."""
    return tmp_path_factory.mktemp("finished") / "repository"


@pytest.fixture
def finished(project, finished_copy, request):
    """The repository with the pipeline run and its results committed."""
    if finished_copy.exists():
        shutil.copytree(finished_copy, project, dirs_exist_ok=True)
        return project
    repository = request.getfixturevalue("repository")
    run("dvc", "repro", cwd=repository)
    run("git", "add", "-A", cwd=repository)
    run("git", "commit", "-qm", "results", cwd=repository)
    shutil.copytree(repository, finished_copy)
    return repository


@pytest.fixture
def run_main(project, capsys):
    """A function that runs a stage's main in this process and returns (exit code, stderr)."""

    def run(main):
        try:
            main()
        except SystemExit as stop:
            if isinstance(stop.code, str):
                print(stop.code, file=sys.stderr)  # as the interpreter does at its end
            return (1 if isinstance(stop.code, str) else stop.code or 0), capsys.readouterr().err
        return 0, capsys.readouterr().err

    return run


@pytest.fixture
def lookbook(project, capsys, monkeypatch):
    """A function that runs a command in this process; returns exit code, output and stderr."""
    monkeypatch.setattr("lookbook.__main__.CLONE", project)  # as if this code were the copy's

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["lookbook", *map(str, words)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def photos(tmp_path_factory) -> Path:
    """A folder `photos` outside the project, with 10 cats and 10 dogs."""
    return write_photos(tmp_path_factory.mktemp("home") / "photos", {"cats": 10, "dogs": 10})


@pytest.fixture
def without_dvc(monkeypatch):
    """Leave out telling DVC, which takes over a second a time."""
    monkeypatch.setattr("lookbook.own.keeping._tell_dvc", lambda folder: None)


@pytest.fixture
def add(project, without_dvc):
    """A function that takes photos into a set, as `lookbook add` does; returns the plan."""
    from lookbook.own.adding import apply, plan
    from lookbook.own.scanning import Columns, Grouping

    def take_in(
        *places,
        dataset="pets",
        columns=None,
        grouping=None,
        sizes=(0.2, 0.2),
        resplit=False,
        dry=False,
    ):
        planned = plan(
            dataset,
            [str(place) for place in places],
            columns=columns or Columns(),
            grouping=grouping or Grouping(),
            sizes=sizes,
            resplit=resplit,
        )
        if not dry:
            apply(planned)
        return planned

    return take_in


@pytest.fixture
def processed(project, digits_data):
    """The project copy with digits downloaded and processed."""
    for part in ("data", "metrics"):
        shutil.copytree(digits_data.with_name(part), project / part, dirs_exist_ok=True)
    return project / "data/processed"


@pytest.fixture
def serve():
    """A function that starts a local server answering with `answer(handler)`; returns its base."""
    servers = []

    def start(answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802
                requests.append(self.path)
                answer(self)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *args):
                pass

        requests = []
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}", requests

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def s3_server():
    """A server of S3, started once."""
    pytest.importorskip("moto.server")
    server = S3()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def s3(s3_server, monkeypatch, tmp_path_factory):
    """The server of S3, with an empty bucket `shelf`, as the environment names it."""
    no_settings = tmp_path_factory.mktemp("s3") / "config"
    no_settings.touch()
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.address)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("CONFIG_FILE", "SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(f"AWS_{name}", str(no_settings))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    s3_server.clear()
    return s3_server


@pytest.fixture
def ssh(tmp_path_factory, monkeypatch):
    """The address of an SSH server of this machine, with the home folder that has its keys."""
    home = tmp_path_factory.mktemp("ssh")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with ssh_server(home) as address:
        yield address


@pytest.fixture
def cluster(tmp_path_factory, monkeypatch):
    """A cluster without workers, which the environment names."""
    started = Cluster(tmp_path_factory.mktemp("cluster"))
    monkeypatch.setenv(connecting.ADDRESS, started.address)
    monkeypatch.setattr(connecting, "_clients", {})
    yield started
    for client in connecting._clients.values():
        connecting._close(client)
    started.close()


@pytest.fixture(scope="session")
def light_model() -> bytes:
    """An exported model without its card: dark or bright, by the mean of 8x8 grey pixels.

    A picture is the stranger the more its pixels differ; flat ones are none.
    """
    import keras
    import numpy as np
    import tensorflow as tf
    from keras import layers, ops

    pixels = keras.Input((8, 8, 1), dtype="uint8", name="pixels")
    scaled = layers.Rescaling(1 / 255, dtype="float32")(pixels)
    light = layers.GlobalAveragePooling2D()(scaled)
    dense = layers.Dense(2)
    logits = dense(light)
    dense.set_weights([np.array([[-8.0, 8.0]]), np.array([4.0, -4.0])])
    outputs = {
        "probabilities": ops.softmax(logits),
        "calibrated": ops.softmax(logits / 2),
        "strangeness": ops.std(scaled, axis=(1, 2, 3)),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "light.tflite")
        signature = [tf.TensorSpec((None, 8, 8, 1), tf.uint8, name="pixels")]
        model = keras.Model(pixels, outputs)
        model.export(path, format="litert", input_signature=signature, verbose=False)
        return path.read_bytes()


@pytest.fixture
def export(light_model, tmp_path):
    """A function that writes the exported model with some of its card changed."""
    from lookbook.inference.card import with_card

    def write(path=tmp_path / "light.tflite", **changes):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(with_card(light_model, light_card(**changes)))
        return path

    return write
