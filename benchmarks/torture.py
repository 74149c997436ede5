"""What is lost when a run of the pipeline is hit at a random moment? Counted, and written down.

A clone with a tiny ladder runs, and is hit by one fault: a signal to the stage, to DVC or to the
group; a full disk; a folder that can no longer be written; a mirror that vanishes; another run at
the same time; a clock that jumps back. Then `lookbook doctor --repair && dvc repro` must end with
the same dvc.lock as before, the doctor must find nothing in any file, and no partial file and no
process may be left.

    make torture                              seed 1, 100 faults, about half an hour
    python -m benchmarks.torture --seed 2     another draw
    python -m benchmarks.torture --table      only write the table of what is in the journal

Each fault is a line of torture/journal.jsonl; a run goes on where it was stopped. The table goes
into docs/reliability.md. A full disk and a read-only folder take root, the clock libfaketime; what
cannot be had is left out, and said.
"""

import argparse
import contextlib
import http.server
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import yaml

from lookbook.doctor.running import PARTIAL
from lookbook.experiments.recipes import merged
from lookbook.foundation.processes import STAGE

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "torture"
JOURNAL = FOLDER / "journal.jsonl"
DISK, CLONE, CACHE = FOLDER / "disk", FOLDER / "disk/clone", FOLDER / "disk/cache"
PAGE, MARKS = ROOT / "docs/reliability.md", ("<!-- torture -->\n", "<!-- end of torture -->\n")
DISK_BYTES = 2**31  # of memory, at most; the doctor wants 1 GB free
FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
NEARLY = 2**24  # bytes that are left to fill step by step, while the run takes some too
TARGETS = ["baseline", "baseline", "train_ann"]  # the network's modules take long to load
PATIENCE = 300.0  # seconds until a run counts as hanging
DAY = 86400
TINY = {
    "dataset": "tortured",
    "baseline": {"max_iter": 2, "folds": 2},
    "train_ann": {"hidden": [16], "epochs": 3},
}


class Mirror:
    """A server of the digits, which may vanish.

    Attributes:
        left: Bytes that it still sends before it vanishes; None: all.
        address: Of the server.
    """

    def __init__(self, content: bytes):
        """Start it."""
        mirror = self
        self.left: int | None = None

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802
                if mirror.left == 0:
                    self.connection.close()
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: mirror.left])
                if mirror.left is not None:
                    mirror.left = 0

            def log_message(self, *words: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{server.server_port}"


class Bench:
    """The clone under test, and what is done to it."""

    def __init__(self, mirror: Mirror):
        """Make the clone, run its pipeline once, and note what came of it and how long it takes."""
        self.mirror = mirror
        paths = [str(Path(sys.executable).parent), os.environ["PATH"]]
        self.environment = os.environ | {
            "PATH": os.pathsep.join(paths),
            "PYTHONPATH": str(CLONE),
            "LOOKBOOK_CACHE": str(CACHE),
            "LOOKBOOK_MIRROR": mirror.address,
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(DISK / "site"),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        _make_clone(self.run)
        self.seconds = {}
        for target in dict.fromkeys(TARGETS):
            self.forget_download()
            start = time.monotonic()
            self.run("dvc", "repro", "--force", target)
            self.seconds[target] = time.monotonic() - start
        self.lock = (CLONE / "dvc.lock").read_bytes()
        self.run("git", "add", "-A")
        self.run("git", "-c", "user.name=x", "-c", "user.email=x", "commit", "-qm", "results")
        self.run(sys.executable, "-m", "lookbook", "doctor")

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess:
        """Run a command in the clone to its end."""
        done = subprocess.run(
            command, cwd=CLONE, env=self.environment, capture_output=True, timeout=PATIENCE
        )
        if check and done.returncode:
            raise RuntimeError(f"{command}: {done.stdout.decode()} {done.stderr.decode()}")
        return done

    def start(self, target: str, **more: str) -> subprocess.Popen:
        """Start a run from the download on, in a group of its own."""
        self.forget_download()
        return subprocess.Popen(
            ["dvc", "repro", "--force", target],
            cwd=CLONE,
            env=self.environment | more,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def forget_download(self) -> None:
        """Let the next run ask the mirror."""
        shutil.rmtree(CACHE / "tortured", ignore_errors=True)

    def verdict(self) -> str:
        """Repair, run, and return what is not as it was before; empty if nothing is."""
        doctor = (sys.executable, "-m", "lookbook", "doctor")
        repaired = self.run(*doctor, "--repair", check=False)
        if repaired.returncode:
            return f"the doctor could not mend: {repaired.stdout.decode()[-500:]}"
        again = self.run("dvc", "repro", *dict.fromkeys(TARGETS), check=False)
        if again.returncode:
            return f"dvc repro failed: {again.stderr.decode()[-500:]}"
        if (CLONE / "dvc.lock").read_bytes() != self.lock:
            return "another dvc.lock"
        if self.stages():
            return "an orphan"
        left = [str(p) for p in DISK.rglob("*") if PARTIAL.fullmatch(p.name)]
        if left:
            return f"partial files: {left}"
        sound = self.run(*doctor, check=False)
        return f"the doctor finds {sound.stdout.decode()[-500:]}" if sound.returncode else ""

    def stages(self) -> list[psutil.Process]:
        """Return the stages that run in the clone."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if Path(process.cwd()) == CLONE and STAGE in process.environ():
                    words = process.cmdline()
                    if any(word.startswith("stages.") for word in words):
                        found.append(process)
        return found


Fault = Callable[[Bench, random.Random, subprocess.Popen], None]


def of_signal(number: signal.Signals, goal: str) -> Fault:
    """Return the fault that sends a signal to the stage, to DVC or to the group."""

    def hit(bench: Bench, draw: random.Random, run: subprocess.Popen) -> None:
        if goal == "the stage":
            while run.poll() is None and not (stages := bench.stages()):
                time.sleep(0.01)
            for process in stages if run.poll() is None else []:
                with contextlib.suppress(psutil.Error):
                    process.send_signal(number)
        elif run.poll() is None:
            os.kill(run.pid, number) if goal == "dvc" else os.killpg(run.pid, number)

    return hit


def fill_disk(bench: Bench, draw: random.Random, run: subprocess.Popen) -> None:
    """Leave no byte of the disk until the run ends."""
    filler = DISK / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, max(1, shutil.disk_usage(DISK).free - NEARLY))
        file.seek(0, os.SEEK_END)
        while file.write(bytes(4096)):  # until there is no space left
            pass
    _wait(run)
    filler.unlink()


def forbid_writing(bench: Bench, draw: random.Random, run: subprocess.Popen) -> None:
    """Make a folder read-only until the run ends."""
    folder = str(CLONE / draw.choice(["data", "models", "metrics", ".dvc/tmp", ".dvc/cache"]))
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
    _wait(run)
    subprocess.run(["umount", "--lazy", folder], check=True)


def vanish(bench: Bench, draw: random.Random, run: subprocess.Popen) -> None:
    """Take the mirror away, which was told beforehand how much to send, until the run ends."""
    _wait(run)
    bench.mirror.left = None


def run_twice(bench: Bench, draw: random.Random, run: subprocess.Popen) -> None:
    """Start the same run a second time."""
    _wait(bench.start(draw.choice(TARGETS)))
    _wait(run)


def set_back(bench: Bench, draw: random.Random, run: subprocess.Popen) -> None:
    """Set the clock of the run back by up to a year.

    libfaketime 0.9.10 lets sleeps fail after that, which stops runs that a clock alone would not.
    """
    (FOLDER / "clock").write_text(f"-{draw.randrange(DAY, 365 * DAY)}")
    _wait(run)


SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
FAULTS: dict[str, Fault] = {
    f"{number.name} to {goal}": of_signal(number, goal)
    for number in SIGNALS
    for goal in ("the stage", "dvc", "the group")
}
FAULTS |= {
    "a full disk": fill_disk,
    "a read-only folder": forbid_writing,
    "a mirror that vanishes": vanish,
    "two runs at once": run_twice,
    "a clock that jumps back": set_back,
}


def torture(bench: Bench, seed: int, number: int, kind: str) -> dict[str, object]:
    """Let one fault hit one run; return what came of it."""
    draw = random.Random(f"{seed} {number}")
    target = draw.choice(TARGETS)
    moment = draw.uniform(0, bench.seconds[target])
    more = {}
    if kind == "a mirror that vanishes":
        bench.mirror.left = draw.randrange(50_000)
    if kind == "a clock that jumps back":
        (FOLDER / "clock").write_text("+0")
        more = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(FOLDER / "clock")}
        more |= {"FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    run = bench.start(target, **more)
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.wait(moment)
    FAULTS[kind](bench, draw, run)
    _wait(run)
    end = time.monotonic() + 5  # a stage looks for its parent twice a second
    while bench.stages() and time.monotonic() < end:
        time.sleep(0.1)
    loss = bench.verdict()
    entry = {"seed": seed, "number": number, "kind": kind, "target": target}
    return entry | {"seconds": round(moment, 2), "stopped": run.returncode != 0, "loss": loss}


def table(entries: list[dict]) -> str:
    """Return the table of all faults so far."""
    seeds = sorted({entry["seed"] for entry in entries})
    lines = ["| fault | times | runs that it stopped | losses |", "|---|---|---|---|"]
    for kind in [*FAULTS, "all"]:
        of_kind = [entry for entry in entries if kind in (entry["kind"], "all")]
        stopped, lost = (sum(bool(e[key]) for e in of_kind) for key in ("stopped", "loss"))
        lines.append(f"| {kind} | {len(of_kind)} | {stopped} | {lost} |")
    named = ", ".join(map(str, seeds))
    return "\n".join(
        [f"`make torture`, {'seeds' if len(seeds) > 1 else 'seed'} {named}:", "", *lines, ""]
    )


def write_table(entries: list[dict]) -> None:
    """Put the table between its marks on the page."""
    begin, end = MARKS
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(begin)
    PAGE.write_text(
        f"{before}{begin}{table(entries)}{end}{rest.partition(end)[2]}", encoding="utf-8"
    )


def journal() -> list[dict]:
    """Return what was found so far."""
    return list(map(json.loads, JOURNAL.read_text().splitlines())) if JOURNAL.is_file() else []


def possible() -> Iterator[str]:
    """Yield the faults that can be had here; say which cannot."""
    root = {"a full disk", "a read-only folder"}
    for kind in FAULTS:
        if kind in root and os.geteuid():
            print(f"left out: {kind} (needs root)")
        elif kind == "a clock that jumps back" and FAKETIME is None:
            print(f"left out: {kind} (needs libfaketime)")
        else:
            yield kind


@contextlib.contextmanager
def disk() -> Iterator[None]:
    """A disk of its own for the clone, where that can be had."""
    subprocess.run(["umount", "--lazy", str(DISK)], capture_output=True)
    shutil.rmtree(DISK, ignore_errors=True)
    DISK.mkdir(parents=True)
    if not os.geteuid():
        words = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "torture", str(DISK)]
        subprocess.run(words, check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(DISK)], capture_output=True)
        shutil.rmtree(DISK, ignore_errors=True)


def main() -> None:
    """Hit runs until there are as many faults as asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--table", action="store_true", help="only write the table")
    arguments = parser.parse_args()
    # A shell lets what it starts in the background ignore Ctrl-C, and so would all that we start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not arguments.table:
        FOLDER.mkdir(exist_ok=True)
        done = {(entry["seed"], entry["number"]) for entry in journal()}
        kinds = list(possible())
        from sklearn.datasets import _base

        digits = Path(_base.__file__).parent / "data/digits.csv.gz"
        with disk():
            bench = Bench(Mirror(digits.read_bytes()))
            for number in range(arguments.faults):
                if (arguments.seed, number) in done:
                    continue
                entry = torture(bench, arguments.seed, number, kinds[number % len(kinds)])
                with JOURNAL.open("a") as file:
                    file.write(json.dumps(entry) + "\n")
                print(json.dumps(entry), flush=True)
                if entry["loss"]:
                    bench = Bench(bench.mirror)  # the next fault is another's
    write_table(journal())


def _make_clone(run: Callable) -> None:
    shutil.rmtree(CLONE, ignore_errors=True)
    subprocess.run(["git", "clone", "-q", str(ROOT), str(CLONE)], check=True)
    path = CLONE / "params.yaml"
    params = merged(yaml.safe_load(path.read_text()), TINY)
    path.write_text(yaml.safe_dump(params, sort_keys=False))
    card = yaml.safe_load((CLONE / "data/cards/digits.yaml").read_text())
    card["source"] = {"kind": "mirror", "folder": "tortured"}
    (CLONE / "data/cards/tortured.yaml").write_text(yaml.safe_dump(card, sort_keys=False))
    (CLONE / "dvc.lock").unlink()
    run("git", "add", "-A")
    run("git", "-c", "user.name=x", "-c", "user.email=x", "commit", "-qm", "tiny")


def _wait(run: subprocess.Popen) -> None:
    try:
        run.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()


if __name__ == "__main__":
    main()
