"""What the bytes of a result depend on besides its input, by name.

Where all of it is the same, so are the bytes; a worker where it is not is refused.
"""

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lookbook.foundation.arithmetic import EVERYWHERE
from lookbook.foundation.errors import LookbookError

Conditions = dict[str, str]

CODE = "the code of Lookbook"
ARITHMETIC, THREADS = "the arithmetic", "the number of threads"
MACHINE = {ARITHMETIC, THREADS, "the processor", "the device"}
PACKAGE = Path(__file__).parents[1]


def software(*packages: str) -> Conditions:
    """Return what software a result depends on.

    Args:
        packages: Those that it is made with, besides NumPy and Dask.
    """
    versions = {name: _version(name) for name in ("distributed", "numpy", *packages)}
    return {CODE: _code(), "the C library": _c_library(), **versions}


def refusal(found: Mapping[str, Conditions], expected: Conditions) -> LookbookError | None:
    """Return the error for workers whose results could have other bytes; None if there are none.

    Args:
        found: The conditions of each worker, by its name.
        expected: Those of this machine.
    """
    parts: list[str] = []
    different: set[str] = set()
    for worker, there in found.items():
        others = [name for name in there if there[name] != expected.get(name)]
        if others:
            words = [f"{name} is {there[name]} (here {expected.get(name)})" for name in others]
            parts.append(f"{worker}, where {', '.join(words)}")
            different.update(others)
    if not parts:
        return None
    return LookbookError(
        "Expected workers that compute the same bytes as this machine. Received: "
        f"{'; '.join(parts)}. {_remedy(different, expected)}"
    )


def _remedy(different: set[str], expected: Conditions) -> str:
    remedies = []
    if different - MACHINE:
        remedies.append("Install this commit of Lookbook and its locked packages there.")
    if different & MACHINE and expected.get(ARITHMETIC, EVERYWHERE) != EVERYWHERE:
        remedies.append("Set hardware.repeatable to everywhere, or take other workers.")
    elif different & MACHINE:
        remedies.append("Take other workers.")
    return " ".join(remedies)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _c_library() -> str:
    return " ".join(platform.libc_ver()).strip() or platform.platform()


@cache
def _code() -> str:
    """Return the first digits of a hash of all modules of Lookbook."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]
