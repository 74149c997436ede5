"""What the tests of searches ask: what a trial left as an experiment, and who still works."""

import json
from pathlib import Path

import psutil
from support import run


def at(name, path, folder):
    return run("git", "show", f"{ref_of(name, folder)}:{path}", cwd=folder, check=False).stdout


def ref_of(name, folder):
    commit = run("git", "rev-parse", "HEAD", cwd=folder).stdout.strip()
    return f"refs/exps/{commit[:2]}/{commit[2:]}/{name}"


def listed(folder):
    """Return what `dvc exp show` says of each experiment: its figures and its parameters."""
    rows = json.loads(run("dvc", "exp", "show", "--json", cwd=folder).stdout)
    groups = [group for row in rows for group in row.get("experiments") or []]
    return {group["revs"][0]["name"]: group["revs"][0]["data"] for group in groups}


def working_in(folder):
    """Return the processes that work somewhere below a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found
