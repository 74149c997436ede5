import shutil
from pathlib import Path

import pytest
import yaml
from support import ROOT, run

FEW = {"hidden": {"choices": [[], [8]]}, "learning_rate": {"low": 1e-3, "high": 1e-2, "log": True}}


@pytest.fixture
def committed(repository):
    """The repository with metrics, as every clone has them, and a small space."""
    shutil.copytree(ROOT / "metrics", repository / "metrics", dirs_exist_ok=True)
    Path("search.yaml").write_text(yaml.safe_dump({"train_ann": FEW}))
    run("git", "add", "-A", cwd=repository)
    run("git", "commit", "-qm", "as cloned", cwd=repository)
    return repository
