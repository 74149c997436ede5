import json
import sys
from functools import partial

import numpy as np
import pytest
from support import ROOT, TINY, run

SEVERAL = str(ROOT / "tests/training/several.py")
TRAININGS = ["train_ann", "train_cnn", "train_transfer"]


@pytest.fixture
def several(project, monkeypatch):
    """A function that runs something on several devices in a copy of the project."""
    monkeypatch.setenv("PYTHONPATH", str(project))
    return partial(run, sys.executable, SEVERAL, cwd=project)


def trained(several, devices, count, validation):
    done = several(str(devices), "fit", str(count), "16", str(validation))
    said = json.loads(done.stdout.strip().splitlines()[-1])
    assert said["replicas"] == devices
    assert "ran out of data" not in done.stderr
    return said


@pytest.mark.parametrize(
    ("count", "validation", "several_devices"),
    [
        (193, 61, [3]),
        pytest.param(193, 61, [2], marks=pytest.mark.slow),
        pytest.param(198, 1, [2, 3], marks=pytest.mark.slow),
    ],
)
def test_several_devices_train_as_one_does_whatever_divides(
    several, count, validation, several_devices
):
    """The last batch of 193 has one example, that of 198 six, of which three devices take two."""
    one = trained(several, 1, count, validation)
    others = [trained(several, devices, count, validation) for devices in several_devices]
    for other in others:
        for name, figures in one["curves"].items():
            np.testing.assert_allclose(other["curves"][name], figures, rtol=2e-3, atol=1e-6)
        assert other["figures"] == pytest.approx(one["figures"], rel=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("devices", ["2", "3"])
def test_every_stage_trains_on_several_devices(several, set_params, devices):
    """1,149 training pictures in batches of 164 leave one over, 289 validation pictures too."""
    small = {f"{stage}.batch_size": 164 for stage in TRAININGS}
    odd = {"hardware.devices": "all", "preprocess.validation_size": 0.161}
    tuned = {f"train_transfer.fine_tune.{name}": 1 for name in ("blocks", "epochs")}
    set_params(**TINY | small | odd | tuned)
    for stage in ("download", "preprocess", "baseline"):
        several("1", "stage", stage)
    spec = json.loads((several.keywords["cwd"] / "data/processed/spec.json").read_text())
    assert spec["counts"]["train"] % 164 == 1 == spec["counts"]["validation"] % 3 % 2
    for stage in TRAININGS:
        assert f"training on {devices} GPUs" in several(devices, "stage", stage).stderr
        figures = several.keywords["cwd"] / f"metrics/{stage}.json"
        assert 0 < json.loads(figures.read_text())["train_loss"] < 5
    several(devices, "stage", "evaluate")
    ladder = json.loads((several.keywords["cwd"] / "metrics/evaluate.json").read_text())
    assert set(TRAININGS) < set(ladder)
