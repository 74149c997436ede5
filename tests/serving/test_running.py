"""`lookbook serve` as a process: how it starts, how it ends, what becomes of workers."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from support import ROOT, flat, run

ENDINGS = [signal.SIGTERM, signal.SIGINT]


def left_behind(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith("lookbook-serve-")]


def workers_of(process):
    """The processes that serve, by their ids."""
    found = set()
    for child in psutil.Process(process.pid).children():
        with contextlib.suppress(psutil.Error):
            if "spawn_main" in " ".join(child.cmdline()):
                found.add(child.pid)
    return found


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    pytest.fail(f"not within {seconds} seconds")


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder in which the server keeps what it needs while it runs."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_it_needs_nothing_of_the_pipeline():
    heavy = "tensorflow keras dvc pandas sklearn scipy cv2 joblib yaml matplotlib"
    code = f"""
import sys
import lookbook.serving.running
print(*sorted(set({heavy.split()}) & set(sys.modules)))
"""
    done = run(sys.executable, "-c", code, cwd=ROOT)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_signal_ends_it_cleanly_with_code_0(command, temporary, ending):
    process, client = command()
    assert left_behind(temporary)
    assert client.ask(flat(0))[2]["pictures"][0]["answer"] == "dark"
    process.send_signal(ending)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")
    assert left_behind(temporary) == []


@pytest.mark.skipif(sys.platform != "linux", reason="no bound on memory")
def test_a_file_that_lies_about_its_size_gets_no_memory(command):
    """An AVIF of 64 x 64 pixels by its header, and of 16,300 x 16,300 when it is decoded."""
    process, client = command()
    assert client.ask(flat(0))[0] == 200
    before = psutil.Process(process.pid).memory_info().rss
    status, _, content = client.ask((ROOT / "tests/serving/lying.avif").read_bytes())
    assert status == 422
    assert content["pictures"] == [{"name": None, "error": "truncated or damaged"}]
    assert client.ask(flat(0))[0] == 200
    peak = Path(f"/proc/{process.pid}/status").read_text().partition("VmHWM:")[2].split()[0]
    assert int(peak) * 1024 < before + 200e6


def test_the_page_is_there(command):
    _, client = command()
    status, headers, content = client.ask(b"", path="/", method="GET")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"<title>Dark or bright?</title>" in content


def test_a_worker_that_dies_is_replaced_and_its_counts_stay(command, temporary):
    process, client = command("--workers", "2")
    for _ in range(20):
        assert client.ask(flat(0))[0] == 200
    before = workers_of(process)
    assert len(before) == 2
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: len(workers_of(process) - {victim}) == 2)
    for _ in range(20):
        assert client.ask(flat(255))[0] == 200
    text = client.ask(b"", path="/metrics", method="GET")[2].decode()
    assert 'lookbook_pictures_total{answer="dark"} 20.0' in text
    assert 'lookbook_pictures_total{answer="bright"} 20.0' in text
    assert 'lookbook_requests_total{route="/predict",status="200"} 40.0' in text
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, left_behind(temporary)) == (0, [])
    assert "a worker ended with code -9; another replaces it" in err
    assert "Traceback" not in err


def test_workers_end_when_nobody_looks_after_them_any_more(command):
    process, client = command("--workers", "2")
    workers = workers_of(process)
    assert len(workers) == 2
    process.kill()
    process.wait()
    wait_for(lambda: not any(psutil.pid_exists(worker) for worker in workers))
    with pytest.raises(ConnectionRefusedError):
        client.open()


def serve(*words):
    return subprocess.run(
        [sys.executable, "-m", "lookbook", "serve", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_port_in_use_is_a_sentence(export, temporary):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = serve("--model", export(), "--port", port)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: Expected to listen at 127.0.0.1, port {port}. Received: address already in use. "
        "Choose another with --host and --port, or stop what listens there.\n"
    )
    assert left_behind(temporary) == []


@pytest.mark.parametrize("host", ["192.0.2.1", "no such name"])
def test_an_address_of_another_machine_is_a_sentence(export, host):
    done = serve("--model", export(), "--host", host, "--port", "0")
    assert done.returncode == 2
    assert re.fullmatch(rf"error: Expected to listen at {host}, port 0\. .*\n", done.stderr)


def test_a_damaged_model_is_a_sentence_before_a_worker_starts(export):
    path = export()
    path.write_bytes(path.read_bytes()[:-100])
    done = serve("--model", path, "--workers", "2")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"Expected a model that Lookbook exported at {path}. Received: " in done.stderr
    assert done.stderr.count("\n") == 1
