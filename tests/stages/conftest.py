import contextlib
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from support import copy_project
from untrained import MADE, small_cnn, small_transfer, softmax_regression

from lookbook.networks.saving import save_keras
from lookbook.splits.split import Split
from lookbook.training.fitting import save_curves
from stages import baseline, evaluate


@pytest.fixture(scope="session")
def evaluated(digits_data, tmp_path_factory):
    """A project copy that has evaluated models, the networks among them untrained."""
    folder = tmp_path_factory.mktemp("evaluated")
    copy_project(folder)
    for part in ("data", "metrics"):
        shutil.copytree(digits_data.with_name(part), folder / part, dirs_exist_ok=True)
    with contextlib.chdir(folder):
        baseline.main()
        spec = Split("train").spec
        for build, name in ((softmax_regression, "ann"), (small_cnn, "cnn")):
            save_keras(build(spec), Path(f"models/train_{name}.keras"))
        save_keras(small_transfer(spec), Path("models/train_transfer.keras"))
        for name, figures in {
            "ann": {},
            "cnn": {},
            "transfer": {"base": "fashion_mnist_cnn"},
        }.items():
            Path(f"metrics/train_{name}.json").write_text(json.dumps(figures))
        curves = pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1], "val_loss": [3.0, 2]})
        curves = curves.assign(accuracy=[0.1, 0.2], val_accuracy=[0.1, 0.3])
        save_curves(curves, Path("metrics/curves/train_cnn.csv"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(evaluate, "RUNGS", MADE)
            evaluate.main()
    return folder


@pytest.fixture
def ladder(project, evaluated):
    """The project copy with all that was evaluated."""
    shutil.copytree(evaluated, project, dirs_exist_ok=True)
