"""Git, told of files: DVC's temporary and queued runs copy only what it knows."""

import subprocess
from pathlib import Path


def tell_git(paths: list[Path]) -> None:
    """Stage files, or that they are gone; where there is no Git, do nothing."""
    try:
        subprocess.run(["git", "add", "--", *map(str, paths)], capture_output=True, check=False)
    except FileNotFoundError:
        return


def kind_of(name: str) -> str:
    """Return what a name stands for: commit, tag, tree or blob; empty if unknown."""
    command = ["git", "cat-file", "-t", name]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def head_of(folder: Path) -> str:
    """Return the commit of the clone that a folder lies in: 40 hex digits; empty if unknown."""
    command = ["git", "-C", str(folder), "rev-parse", "--verify", "--quiet", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""
