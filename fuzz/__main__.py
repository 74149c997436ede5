"""Run the fuzzing: each reader in a process of its own, for some minutes.

    python -m fuzz --minutes 1 --reader archives pictures

Prints how many cases each reader got, and what was found. The exit code is 1 if something was.
"""

import argparse
import faulthandler
import importlib
import importlib.util
import logging
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from fuzz import READERS, attempt
from lookbook.foundation.errors import VERDICT, LookbookError, explains_errors
from lookbook.foundation.files import remove

FOUND = Path(__file__).parent / "found"
MOST_SECONDS, MOST_MEGABYTES = 20, 4096  # of a case
MOST_BYTES = 2**15  # of its input
# Packages that read for us and are written in Python: libFuzzer follows their branches, too.
FOLLOWED = ["lookbook", "csv", "gzip", "h11", "multipart", "python_multipart", "starlette"]
FOLLOWED += ["tarfile", "uvicorn", "yaml", "zipfile"]


@explains_errors
def main() -> int | None:
    """Fuzz the readers that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1, help="for each (default: 1)")
    parser.add_argument("--reader", nargs="*", choices=READERS, default=[], help="default: all")
    parser.add_argument("--inside", metavar="FOLDER", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        raise LookbookError(
            "Expected atheris, which makes the cases; it has wheels for Linux on x86-64 alone. "
            "Received: it is not installed. Run `make fuzz` on such a machine."
        )
    seconds = max(1, round(60 * arguments.minutes))
    if arguments.inside:
        return fuzz(arguments.reader[0], arguments.inside, seconds)
    sound = [report(name, seconds) for name in arguments.reader or READERS]
    return None if all(sound) else VERDICT


def report(name: str, seconds: int) -> bool:
    """Fuzz a reader, print what came of it; return whether nothing was found."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "fuzz", "--inside", folder, "--reader", name]
            + ["--minutes", str(seconds / 60)],
            capture_output=True,
            text=True,
            errors="replace",
        )
    said = done.stdout + done.stderr
    cases = re.search(r"stat::number_of_executed_units:\s*(\d+)", said)
    count = f"{int(cases[1]):,}" if cases else "?"
    print(f"{name:<12} {count:>12} cases  {'FOUND' if done.returncode else 'nothing found'}")
    if done.returncode:
        print(said)
    sys.stdout.flush()
    return not done.returncode


def fuzz(name: str, folder: Path, seconds: int) -> None:
    """Fuzz a reader in this process, which then ends.

    Args:
        name: Of the reader.
        folder: An empty one, for the seeds and the reader's files.
        seconds: For how long.
    """
    import atheris

    logging.disable()
    # libFuzzer's own limit does not see a thread that waits for another, as at an import.
    faulthandler.dump_traceback_later(seconds + MOST_SECONDS + 60, exit=True)

    with atheris.instrument_imports(include=FOLLOWED):
        reader = importlib.import_module(f"fuzz.{name}")
    corpus, place = folder / "corpus", folder / "place"
    corpus.mkdir()
    for number, seed in enumerate(reader.SEEDS):
        (corpus / str(number)).write_bytes(seed)
    FOUND.mkdir(exist_ok=True)
    options = {
        "max_total_time": seconds,
        "max_len": max(MOST_BYTES, *map(len, reader.SEEDS)),
        "timeout": MOST_SECONDS,
        "rss_limit_mb": MOST_MEGABYTES,
        "malloc_limit_mb": MOST_MEGABYTES,
        "artifact_prefix": f"{FOUND}/{name}-",
        "print_final_stats": 1,
        "verbosity": 0,
    }

    def case(content: bytes) -> None:
        remove(place)
        place.mkdir()
        attempt(reader, content, place)

    flags = [f"-{key}={value}" for key, value in options.items()]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], case)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
