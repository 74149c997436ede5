"""Programs on workers: what they find and leave, what is heard of them, and how they end."""

import hashlib
import os
import pickle
import subprocess
import sys
import threading
import time

import errands
import psutil
import pytest
from support import ROOT

from lookbook.cluster import connecting, launching
from lookbook.cluster.launching import launched
from lookbook.cluster.program import Program
from lookbook.cluster.worker import environment
from lookbook.foundation.errors import LookbookError

ADDS = "from pathlib import Path; Path('sum').write_text(str(sum(map(int, open('in/a').read()))))"
COUNTS = """
import time
from pathlib import Path
for number in range(400):
    Path("part").write_text(f"{number} {MARK}")
    Path("part").replace("count")
    time.sleep(0.05)
"""


def program(code, files=(), **changes):
    made = Program(
        words=("-c", code),
        files={f"in/{path.name}": hashed(path) for path in files},
        contents={"more/b": b"of this run"},
        watched="count",
        results=("sum", "in/a", "never"),
        conclude=pickle.dumps(errands.listed),
        conditions=pickle.dumps(errands.conditions),
        expected=errands.conditions(),
        environment=environment(),
    )
    return made._replace(**changes)


def hashed(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def launch(chosen, worker, *, files=(), watch=lambda content: True, ended=None):
    files = {hashed(path): path for path in files}
    ended = ended or threading.Event()
    return launched(connecting.connected(), worker.address, chosen, files, watch, ended)


def running(mark):
    """Return the processes of the programs with a mark."""
    found = psutil.process_iter(["cmdline"])
    return [process for process in found if mark in " ".join(process.info["cmdline"] or ())]


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture
def counts(tmp_path):
    """A program that counts for 20 s, and what its command line has alone."""
    mark = f"'mark of {tmp_path.name} {os.getpid()}'"
    return program(COUNTS.replace("MARK", mark)), mark


@pytest.fixture
def numbers(tmp_path):
    path = tmp_path / "a"
    path.write_text("123")
    return path


def test_files_go_once_and_results_come_back(cluster, numbers, monkeypatch):
    worker, sent = cluster.worker("--no-nanny"), []
    send = launching._send
    monkeypatch.setattr(launching, "_send", lambda *given: sent.append(given[2]) or send(*given))
    for _ in range(2):
        ended = launch(program(ADDS, [numbers]), worker, files=[numbers])
        assert ended.code == 0
        assert ended.files == {"sum": b"6", "in/a": b"123"}
        assert ended.conclusion == ["in", "in/a", "more", "more/b", "sum"]
    assert sent == [numbers]
    twin = numbers.with_name("c")
    twin.write_text("123")
    launch(program(ADDS, [numbers, twin]), worker, files=[numbers, twin])
    assert sent == [numbers]


def test_a_program_that_fails_says_why(cluster):
    worker = cluster.worker("--no-nanny")
    ended = launch(program("raise SystemExit('error: no sum')"), worker)
    assert (ended.code, ended.said, ended.files) == (1, "error: no sum\n", {})


def test_a_program_computes_as_here_and_without_the_cluster(cluster):
    code = "import os, sys; sys.exit(str([os.environ.get(name) for name in NAMES]))"
    code = f"NAMES = ['ONEDNN_MAX_CPU_ISA', 'DASK_SCHEDULER_ADDRESS']; {code}"
    worker = cluster.worker(
        "--no-nanny", ONEDNN_MAX_CPU_ISA="SSE41", DASK_SCHEDULER_ADDRESS="tcp://nowhere:1"
    )
    assert launch(program(code), worker).said == "['AVX2', None]\n"


def test_it_is_watched_and_ended_early(cluster, counts):
    worker, seen = cluster.worker("--no-nanny"), []

    def watch(content):
        assert running(mark)
        seen.append(int(content.split()[0]))
        return len(seen) < 4

    chosen, mark = counts
    assert launch(chosen, worker, watch=watch) is None
    assert len(seen) == 4
    assert seen == sorted(set(seen))
    assert seen[-1] < 399
    until(lambda: not running(mark))


def test_it_is_ended_from_here(cluster, counts):
    ended = threading.Event()
    chosen, mark = counts
    worker = cluster.worker("--no-nanny")

    def watch(content):
        assert running(mark)
        ended.set()
        return True

    assert launch(chosen, worker, watch=watch, ended=ended) is None
    until(lambda: not running(mark))


def test_it_ends_with_whoever_wanted_it(cluster, counts):
    chosen, mark = counts
    worker = cluster.worker("--no-nanny")
    code = (
        "import pickle, sys, threading; from lookbook.cluster.connecting import connected; "
        "from lookbook.cluster.launching import launched; address, chosen = "
        "pickle.load(sys.stdin.buffer); launched(connected(), address, chosen, {}, bool, "
        "threading.Event())"
    )
    client = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, cwd=ROOT)
    client.stdin.write(pickle.dumps((worker.address, chosen)))
    client.stdin.close()
    until(lambda: running(mark))
    client.kill()
    client.wait()
    until(lambda: not running(mark))


def test_a_killed_worker_s_program_begins_anew_on_another(cluster, numbers):
    first, second = (cluster.worker("--no-nanny") for _ in range(2))
    killed = []

    def watch(content):
        if not killed:
            killed.append(content)
            cluster.kill(first)
        return True

    code = f"import time; open('count', 'w').write('1'); time.sleep(3); {ADDS}"
    ended = launch(program(code, [numbers]), first, files=[numbers], watch=watch)
    assert killed
    assert ended.files["sum"] == b"6"
    assert second.poll() is None


def test_a_program_ends_with_its_worker(cluster, counts):
    chosen, mark = counts
    worker, ended = cluster.worker("--no-nanny"), threading.Event()

    def watch(content):
        assert running(mark)
        cluster.kill(worker)
        until(lambda: not running(mark))
        ended.set()
        return True

    chosen = chosen._replace(words=("-c", f"import stages\n{chosen.words[1]}"))
    chosen = chosen._replace(contents={"stages.py": ENDING})
    assert launch(chosen, worker, watch=watch, ended=ended) is None


ENDING = (
    f"import sys; sys.path.append({str(ROOT)!r})\n"
    "from lookbook.foundation.processes import end_with_parent; end_with_parent()"
).encode()


def test_a_lost_scheduler_is_a_sentence(cluster, counts):
    worker = cluster.worker("--no-nanny")
    chosen, mark = counts
    with pytest.raises(LookbookError, match="until the end. Received: it was lost"):
        launch(chosen, worker, watch=lambda _: cluster.kill(cluster.scheduler) or True)
    cluster.kill(worker)


def test_a_worker_that_comes_later_is_refused_too(cluster, numbers):
    worker = cluster.worker("--no-nanny")
    others = program(ADDS, [numbers], expected=errands.conditions() | {"keras": "1.0"})
    with pytest.raises(LookbookError) as error:
        launch(others, worker, files=[numbers])
    assert f"Received: {worker.address} on " in str(error.value)
    assert "(here 1.0)" in str(error.value)


@pytest.mark.parametrize(
    ("size", "code"), [(2**21, ADDS), (3, "open('sum', 'w').write(' ' * 2**21)")]
)
def test_a_worker_without_space_is_a_sentence(cluster, tmp_path, size, code):
    worker = cluster.worker("--no-nanny", before=["prlimit", f"--fsize={2**20}"])
    path = tmp_path / "a"
    path.write_text("1" * size)
    chosen = program(
        f"import errno, os, sys\ntry: {code}\nexcept OSError: sys.exit(os.strerror(errno.ENOSPC))",
        [path],
    )
    with pytest.raises(LookbookError) as error:
        launch(chosen, worker, files=[path])
    assert str(error.value).startswith("Expected space for files on the worker ")
    assert "set TMPDIR to a folder" in str(error.value)
