import pytest

from benchmarks.pairs import changed, told


def test_settings_are_read_as_params_yaml_has_them():
    asked = ["train_cnn.optimizer=adam", "train_cnn.augmentation.erase=0.3", "dataset=mnist"]
    assert changed(asked) == {
        "train_cnn": {"optimizer": "adam", "augmentation": {"erase": 0.3}},
        "dataset": "mnist",
    }


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ([0.003], "test: +0.0030, one pair"),
        ([0.001, 0.002, 0.003], "test: +0.0020 (-0.0005 to +0.0045), 3 pairs"),
    ],
)
def test_a_mean_has_students_interval(differences, expected):
    assert told("test", differences) == expected
