"""dvc.lock: whether it is whole, and of this commit; and what it and the `.dvc` files say."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookbook.doctor.finding import Finding, put_aside
from lookbook.foundation import bounded_yaml
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import write_text
from lookbook.foundation.lock_file import LOCK
from lookbook.foundation.schema import read_yaml

PIPELINE = Path("dvc.yaml")
MARKS = ("<<<<<<< ", "=======\n", ">>>>>>> ")
BACK = "Run `lookbook doctor --repair`, which brings back Git's, then `dvc repro`."


@dataclass(frozen=True)
class Output:
    """Something that DVC keeps, or whose hash it has.

    Attributes:
        path: The file or folder.
        md5: Its hash, as DVC writes it: that of a folder ends in `.dir`.
        is_cached: Whether DVC's cache has it, too; Git has the others.
        is_own: Whether it is a set of people's own, which no stage can make again.
    """

    path: Path
    md5: str
    is_cached: bool
    is_own: bool = False

    @property
    def is_folder(self) -> bool:
        return self.md5.endswith(".dir")


def check_lock() -> Iterator[Finding]:
    """Whether dvc.lock is whole, and not that of another commit."""
    if not LOCK.is_file():
        if of_git("HEAD"):
            yield Finding("lock", str(LOCK), "is gone, and Git has it", BACK, _restore)
        return
    fault = fault_of(LOCK.read_bytes())
    if fault:
        yield Finding("lock", str(LOCK), fault, BACK, _restore)
        return
    other = _other_commit()
    if other:
        what = f"is that of commit {other[:10]}, and the code here is not"
        yield Finding("lock-commit", str(LOCK), what, BACK, _restore)


def sound_stages() -> dict[str, Any]:
    """Return the stages of dvc.lock, of Git's where the one here is not sound; {} without any."""
    text = LOCK.read_bytes() if LOCK.is_file() else b""
    if any(check_lock()):
        text = of_git("HEAD")
    return bounded_yaml.load(text.decode())["stages"] if text and not fault_of(text) else {}


def outputs(stages: dict[str, Any]) -> list[Output]:
    """Return what the stages of a lock leave, and the sets of `.dvc` files in data/own.

    Raises:
        LookbookError: If dvc.yaml or a `.dvc` file is not what it should be.
    """
    declared = read_yaml(PIPELINE).get("stages", {})
    found = []
    for name, stage in stages.items():
        entries = declared.get(name, {})
        uncached = {
            path
            for entry in [*entries.get("outs", []), *entries.get("metrics", [])]
            if isinstance(entry, dict)
            for path, settings in entry.items()
            if settings and not settings.get("cache", True)
        }
        for out in stage.get("outs", []):
            found.append(Output(Path(out["path"]), out["md5"], out["path"] not in uncached))
    for path in sorted(Path("data/own").glob("*.dvc")):
        try:
            (out,) = read_yaml(path)["outs"]
            found.append(Output(path.parent / out["path"], out["md5"], True, is_own=True))
        except (LookupError, TypeError, ValueError) as error:
            raise LookbookError(
                f"Expected {path} as `dvc add` writes it. Received: another ({error}). Run `git "
                f"checkout {path}`."
            ) from None
    return found


def fault_of(content: bytes) -> str | None:
    """Return in a few words what is wrong with a dvc.lock; None if it is whole."""
    try:
        text = content.decode()
        if any(line.startswith(MARKS) for line in text.splitlines(keepends=True)):
            return "has the marks of a conflict"
        if not text.endswith("\n"):
            return "is cut off"
        stages = bounded_yaml.load(text)["stages"]
        locked = _outs(stages)
    except (ValueError, AttributeError, LookupError, TypeError) as error:
        return f"is cut off, or was edited ({' '.join(str(error).split())[:80]})"
    missing = _expected(content) - locked
    if missing:
        names = ", ".join(sorted(path for _, path in missing))
        return f"is cut off: it lacks {names}"
    return None


def of_git(revision: str, path: Path = LOCK) -> bytes:
    """Return a file's content at a revision; empty if it has none, or this is no repository."""
    return _git("show", f"{revision}:{path.as_posix()}")[1]


def _outs(stages: dict[str, Any]) -> set[tuple[str, str]]:
    """Return stage and path of each output.

    Raises:
        ValueError, AttributeError, LookupError, TypeError: If an entry is not whole.
    """
    found = set()
    for name, stage in stages.items():
        for entry in [*stage.get("deps", []), *stage["outs"]]:
            parts = {"path", "hash", "md5", "size"} - set(entry)
            if parts or len(entry["md5"].removesuffix(".dir")) != 32:
                raise ValueError(f"an entry of {name} is not whole")
            if entry["md5"].endswith(".dir") and "nfiles" not in entry:
                raise ValueError(f"an entry of {name} is not whole")
        found |= {(name, out["path"]) for out in stage["outs"]}
    return found


def _expected(content: bytes) -> set[tuple[str, str]]:
    """Return the outputs that Git's lock has, for the stages of an unchanged dvc.yaml."""
    known = of_git("HEAD")
    if not known or known == content or _git("diff", "--quiet", "HEAD", "--", str(PIPELINE))[0]:
        return set()
    try:
        return _outs(bounded_yaml.load(known.decode())["stages"])
    except (ValueError, AttributeError, LookupError, TypeError):
        return set()


def _other_commit() -> str | None:
    """Return the commit whose lock this is, if that is not HEAD and what it depends on differs."""
    blob = _git("hash-object", str(LOCK))[1].decode().strip()
    if not blob or blob == _git("rev-parse", f"HEAD:{LOCK}")[1].decode().strip():
        return None
    if _git("cat-file", "-e", blob)[0]:
        return None
    # Not those of DVC's experiments, whose lock a tree may well have.
    refs = ["HEAD", "--branches", "--remotes", "--tags"]
    found = _git("log", *refs, "--format=%H", f"--find-object={blob}", "--", str(LOCK))[1]
    stages = bounded_yaml.load(LOCK.read_text(encoding="utf-8"))["stages"].values()
    read = {entry["path"] for stage in stages for entry in stage.get("deps", [])}
    read |= {path for stage in stages for path in stage.get("params", {})} | {str(PIPELINE)}
    for commit in found.decode().split():
        if _git("rev-parse", f"{commit}:{LOCK}")[1].decode().strip() == blob:
            return commit if _git("diff", "--quiet", commit, "--", *sorted(read))[0] else None
    return None


def _restore() -> bool:
    """Write Git's lock; without a whole one none: DVC's run cache knows what it said."""
    known = of_git("HEAD")
    if LOCK.is_file():
        put_aside(LOCK)
    if known and not fault_of(known):
        write_text(LOCK, known.decode())
    return True


def _git(*words: str) -> tuple[int, bytes]:
    try:
        done = subprocess.run(["git", *words], capture_output=True)
    except FileNotFoundError:
        return 1, b""
    return done.returncode, b"" if done.returncode else done.stdout
