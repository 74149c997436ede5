"""Results in order and the same, whatever becomes of workers; a sentence for what is wrong."""

import os
import subprocess
import sys
from collections import Counter

import errands
import psutil
import pytest
from clusters import Cluster
from support import ROOT

from lookbook.cluster import connecting, sending
from lookbook.cluster.mapping import mapped
from lookbook.foundation.errors import LookbookError

ITEMS = list(range(30))
TRIPLES = [3 * item for item in ITEMS]


def triples(items=ITEMS, elsewhere=errands.MULTIPLYING):
    yield from mapped(lambda item: (3 * item, os.getpid()), items, elsewhere)


def refused(elsewhere=errands.MULTIPLYING, items=ITEMS):
    """Return the sentence that is raised instead of results."""
    with pytest.raises(LookbookError) as error:
        list(mapped(None, items, elsewhere))
    return str(error.value)


def test_without_an_address_it_is_done_here():
    assert list(triples()) == [(value, os.getpid()) for value in TRIPLES]


def test_without_an_address_nothing_of_dask_is_imported():
    rooms = "lookbook.commands.predict, lookbook.predicting.answering, lookbook.cluster.mapping"
    code = f"import sys, {rooms}; print({{'dask', 'distributed', 'asyncio'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr


@pytest.mark.parametrize("count", [1, 2, 3])
def test_workers_give_the_same_in_order(cluster, count, caplog):
    caplog.set_level("INFO")
    for _ in range(count):
        cluster.worker("--no-nanny")
    found = list(triples())
    assert [value for value, _ in found] == TRIPLES
    processes = {process for _, process in found}
    assert len(processes) == count and os.getpid() not in processes
    plural = "workers" if count > 1 else "worker"
    dashboard = cluster.told(cluster.scheduler, r"dashboard at: +(\S+)")
    assert caplog.messages == [
        f"computing on {count} {plural} of the Dask cluster at {cluster.address}; "
        f"its dashboard: {dashboard}"
    ]


def test_the_least_loaded_worker_gets_the_next_item_whatever_its_threads(cluster):
    for _ in range(2):
        cluster.worker("--no-nanny", "--nthreads", "8")
    processes = [process for _, process in triples(ITEMS[:6])]
    assert sorted(Counter(processes).values()) == [3, 3]


def test_only_a_few_items_are_drawn_ahead(cluster):
    cluster.worker("--no-nanny")
    drawn = []
    results = triples(drawn.append(item) or item for item in ITEMS)
    next(results)
    assert len(drawn) == sending.AHEAD + 1


def test_items_of_a_killed_worker_go_to_another(cluster):
    first, found = cluster.worker("--no-nanny"), []
    for place, (value, _) in enumerate(triples()):
        found.append(value)
        if place == 3:
            cluster.worker("--no-nanny")
        if place == 8:
            cluster.kill(first)  # which held what the other one had from it
    assert found == TRIPLES


def test_the_only_worker_is_killed_and_comes_back(cluster):
    lost, found = cluster.worker("--no-nanny"), []
    for place, (value, _) in enumerate(triples()):
        found.append(value)
        if place == 5:
            cluster.kill(lost)
            cluster.worker("--no-nanny", joins=False)
    assert found == TRIPLES


def test_a_nanny_starts_a_killed_worker_again(cluster):
    cluster.worker("--nanny")
    found = []
    for place, (value, process) in enumerate(triples()):
        found.append(value)
        if place == 5:
            psutil.Process(process).parent().kill()
    assert found == TRIPLES


def test_a_process_that_is_ended_is_started_again(cluster, tmp_path):
    cluster.worker("--no-nanny")
    assert list(mapped(None, ITEMS, errands.ending(tmp_path / "mark"))) == ITEMS


def test_a_process_that_always_ends_is_a_sentence(cluster):
    worker = cluster.worker("--no-nanny")
    said = refused(errands.ending(""))
    assert said.startswith(f"Expected the worker {worker.address} on ")
    assert "its process ended with exit code -9, 2 times" in said


def test_workers_compute_in_the_arithmetic_of_this_process(cluster, monkeypatch):
    cluster.worker("--no-nanny", ONEDNN_MAX_CPU_ISA="SSE41", TF_NUM_INTRAOP_THREADS="1")
    names = ["ONEDNN_MAX_CPU_ISA", "TF_NUM_INTRAOP_THREADS", "OPENBLAS_NUM_THREADS"]
    assert list(mapped(None, names, errands.READING)) == ["AVX2", "8", "1"]
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS")
    assert list(mapped(None, names, errands.READING)) == ["AVX2", None, "1"]


@pytest.mark.parametrize(
    ("item", "kind", "message"),
    [
        ("odd", ValueError, "an odd item"),
        ("wrong", LookbookError, "Expected an item. Received: a wrong one. Mend it."),
    ],
)
def test_what_the_function_raises_is_raised(cluster, item, kind, message):
    cluster.worker("--no-nanny")
    with pytest.raises(kind, match=f"^{message}$"):
        list(triples([1, item]))


def test_a_lost_scheduler_is_a_sentence(cluster):
    cluster.worker("--no-nanny")
    results = triples()
    next(results)
    cluster.kill(cluster.scheduler)
    with pytest.raises(LookbookError) as error:
        list(results)
    assert str(error.value).startswith(
        f"Expected the Dask scheduler at {cluster.address} until the end. Received: it was lost"
    )


def test_workers_that_are_all_lost_are_a_sentence(cluster, monkeypatch):
    monkeypatch.setattr(sending, "WORKERS_SECONDS", 1)
    worker = cluster.worker("--no-nanny")
    results = triples()
    next(results)
    cluster.kill(worker)
    with pytest.raises(LookbookError, match=r"Expected workers .* Received: none in 1 s\."):
        list(results)


def test_no_workers_are_a_sentence(cluster, monkeypatch):
    monkeypatch.setattr(connecting, "WORKERS_SECONDS", 1)
    assert refused() == (
        f"Expected workers of the Dask scheduler at {cluster.address}. Received: none in 1 s. "
        f"Start some (`dask worker {cluster.address}`), or unset DASK_SCHEDULER_ADDRESS to "
        "compute here."
    )


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere", "udp://x:1", "tcp://a:b"])
def test_an_address_without_a_scheduler_is_a_sentence(address, monkeypatch):
    monkeypatch.setattr(connecting, "CONNECTING_SECONDS", 1)
    monkeypatch.setenv(connecting.ADDRESS, address)
    said = refused()
    assert said.startswith(f"Expected a Dask scheduler at {address}, as DASK_SCHEDULER_ADDRESS")
    assert said.endswith("or unset DASK_SCHEDULER_ADDRESS to compute here.")


def test_another_service_is_no_scheduler(serve, monkeypatch):
    base, _ = serve(lambda handler: handler.send_error(404))
    address = base.replace("http", "tcp")
    monkeypatch.setattr(connecting, "CONNECTING_SECONDS", 1)
    monkeypatch.setenv(connecting.ADDRESS, address)
    assert refused().startswith(f"Expected a Dask scheduler at {address}, as")


def test_without_dask_is_a_sentence(monkeypatch):
    monkeypatch.setenv(connecting.ADDRESS, "tcp://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert refused().startswith("Expected Dask, since DASK_SCHEDULER_ADDRESS is set. Received: no ")


def write_version(folder, name, version):
    """Let a package seem to have another version to a process with this folder in its path."""
    information = folder / f"{name}-{version}.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"
    )
    return f"{folder}{os.pathsep}{ROOT / 'tests'}"


def test_a_worker_with_other_versions_is_refused_by_name(cluster, tmp_path):
    cluster.worker("--no-nanny")
    other = cluster.worker("--no-nanny", PYTHONPATH=write_version(tmp_path, "keras", "1.0"))
    said = refused()
    assert said.startswith(
        "Expected workers that compute the same bytes as this machine. Received: "
        f"{other.address} on "
    )
    assert ", where keras is 1.0 (here " in said
    assert said.endswith("Install this commit of Lookbook and its locked packages there.")


def test_a_worker_that_comes_later_is_refused_too(cluster, tmp_path):
    worker = cluster.worker("--no-nanny")
    results = triples()
    next(results)
    cluster.worker("--no-nanny", PYTHONPATH=write_version(tmp_path, "keras", "1.0"))
    cluster.kill(worker)
    with pytest.raises(LookbookError, match=r"where keras is 1\.0 \(here "):
        list(results)


def test_a_worker_with_other_code_is_refused(cluster, project):
    (project / "lookbook/cluster/child.py").open("a").write("\n# changed\n")
    cluster.worker("--no-nanny", cwd=project)
    assert ", where the code of Lookbook is " in refused()


def test_a_worker_without_lookbook_is_refused(cluster, tmp_path):
    missing = "raise ModuleNotFoundError('No module named lookbook', name='lookbook')"
    (tmp_path / "lookbook.py").write_text(missing)
    worker = cluster.worker("--no-nanny", cwd=tmp_path)
    said = refused()
    assert f"{worker.address}, where the code of Lookbook is missing (ModuleNotFoundError(" in said
    assert said.endswith("Install this commit of Lookbook and its locked packages there.")


def test_a_worker_without_space_is_a_sentence(cluster):
    worker = cluster.worker("--no-nanny", before=["prlimit", f"--fsize={2**20}"])
    assert list(triples())[-1][0] == TRIPLES[-1]
    said = refused(errands.LARGE)
    assert said.startswith(f"Expected space for files on the worker {worker.address} on ")
    assert "File too large" in said and "set TMPDIR" in said


@pytest.fixture
def other_scheduler(tmp_path, monkeypatch):
    """A cluster whose scheduler is of another version."""
    started = Cluster(tmp_path, PYTHONPATH=write_version(tmp_path, "distributed", "2020.1.0"))
    monkeypatch.setenv(connecting.ADDRESS, started.address)
    yield started
    started.close()


def test_a_scheduler_of_another_version_is_a_sentence(other_scheduler):
    said = refused()
    assert said.startswith(f"Expected a scheduler at {other_scheduler.address} of the version")
    assert "Received: distributed 2020.1.0 (here " in said
