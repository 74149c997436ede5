import json
from pathlib import Path

from stages import train_cnn


def test_the_convolutional_network_learns_digits(processed, set_params, run_main):
    set_params(
        **{
            "train_cnn.blocks": [[8], [16]],
            "train_cnn.epochs": 6,
            "train_cnn.dense_units": 32,
            "train_cnn.batch_norm": False,
            "train_cnn.batch_size": 32,
        }
    )
    code, err = run_main(train_cnn.main)
    assert code == 0, err
    metrics = json.loads(Path("metrics/train_cnn.json").read_text())
    assert metrics["validation_accuracy_before"] < 0.3
    assert metrics["validation_accuracy"] > 0.75
    convolutions = (9 * 8 + 8) + (9 * 8 * 16 + 16)
    assert metrics["parameters"] == convolutions + (7 * 7 * 16 * 32 + 32) + (32 * 10 + 10)
    assert len(Path("metrics/curves/train_cnn.csv").read_text().splitlines()) == 7
    assert "conv2d" in train_cnn.OUTPUTS.summary.read_text()
    first = train_cnn.OUTPUTS.model.read_bytes()
    assert run_main(train_cnn.main)[0] == 0
    assert train_cnn.OUTPUTS.model.read_bytes() == first
