"""Another Python, another package, a full disk."""

import os
import resource
import shutil
from pathlib import Path

from lookbook.doctor.environment import check_disk, check_packages


def test_another_python_first_in_path(found, tmp_path, monkeypatch):
    other = tmp_path / "bin/python"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\necho /another/prefix\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", f"{other.parent}{os.pathsep}{os.environ['PATH']}")
    assert found() == [("python", str(other), False)]
    monkeypatch.setenv("PATH", "")
    assert ("python", "PATH", False) in found()


def test_a_package_of_another_version(found):
    Path("locks").mkdir(exist_ok=True)
    Path("locks/all.txt").write_text(
        "# a comment\nnumpy==1.0 \\\n    --hash=sha256:0 \\\n    --hash=sha256:1\n"
        "yaml-of-nobody==3\nPyYAML==1 ; python_version < '3' \\\n    --hash=sha256:2\n"
    )
    assert found() == [("package", "numpy", False)]
    assert [finding.remedy for finding in check_packages()] == [
        "Run `pip install --require-hashes -r locks/all.txt`."
    ]


def test_under_a_gigabyte_of_disk(found, monkeypatch):
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=999_999_999))
    assert {kind for kind, *_ in found()} == {"disk"}
    assert "1,000 MB are free" in next(check_disk(Path(".dvc/cache"))).what


def test_few_open_files(found, monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (128, 1024))
    assert found() == [("open-files", "open files", False)]
