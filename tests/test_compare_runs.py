import json
import shutil

import pytest
import yaml
from compare_runs import faults
from conftest import ROOT


@pytest.fixture
def fresh(tmp_path):
    (tmp_path / "metrics").mkdir()
    shutil.copy(ROOT / "dvc.lock", tmp_path)
    shutil.copy(ROOT / "metrics/evaluate.json", tmp_path / "metrics")
    return tmp_path


def test_the_committed_run_agrees_with_itself(fresh):
    assert faults(ROOT, fresh) == []


def test_a_score_that_moved_is_told(fresh):
    path = fresh / "metrics/evaluate.json"
    metrics = json.loads(path.read_text())
    metrics["train_cnn"]["accuracy"] -= 0.03
    path.write_text(json.dumps(metrics))
    assert len(faults(ROOT, fresh)) == 1
    assert "Expected train_cnn to score" in faults(ROOT, fresh)[0]


def test_other_data_are_told(fresh):
    lock = yaml.safe_load((fresh / "dvc.lock").read_text())
    lock["stages"]["download"]["outs"][0]["md5"] = "0" * 32
    (fresh / "dvc.lock").write_text(yaml.safe_dump(lock))
    outs = [out["path"] for out in lock["stages"]["download"]["outs"]]
    assert "data/raw" in outs
    assert faults(ROOT, fresh)
