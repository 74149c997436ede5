"""Run something on several devices: processors that TensorFlow is told there are.

python several.py COUNT stage NAME     a stage
python several.py COUNT fit EXAMPLES BATCH VALIDATION     a small training; prints its figures
"""

import importlib
import json
import sys
from pathlib import Path

import tensorflow as tf

from lookbook.foundation.arithmetic import settle
from lookbook.foundation.params import load_params
from lookbook.training import devices
from lookbook.training.fitting import fit


def pretend(count: int) -> None:
    """Let `hardware.devices=all` be so many processors."""
    (cpu,) = tf.config.list_physical_devices("CPU")
    configuration = [tf.config.LogicalDeviceConfiguration()] * count
    tf.config.set_logical_device_configuration(cpu, configuration)
    names = [device.name for device in tf.config.list_logical_devices("CPU")]
    strategy_for = devices.strategy_for
    devices.strategy_for = lambda gpus, hardware: strategy_for(names, hardware)


def small_training(count: int, batch_size: int, validation: int) -> None:
    """Fit a network without anything random, and print what came of it."""
    sys.path[:0] = [str(folder) for folder in Path(__file__).parents[:2]]
    from test_fitting import Blobs, network

    params = load_params()
    changes = {"batch_size": batch_size, "epochs": 3, "class_weights": "balanced"}
    settings = params.train_ann.model_copy(update=changes | {"label_smoothing": 0.1})
    with devices.prepared(params.hardware.model_copy(update={"devices": "all"}), 1):
        model = network(dropout=0.0)
        curves, figures = fit(model, Blobs(count), Blobs(validation), settings, name="train_ann")
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
    print(json.dumps({"replicas": replicas, "curves": curves.to_dict("list"), "figures": figures}))


if __name__ == "__main__":
    settle()
    pretend(int(sys.argv[1]))
    match sys.argv[2:]:
        case ["stage", name]:
            importlib.import_module(f"stages.{name}").main()
        case ["fit", *numbers]:
            small_training(*map(int, numbers))
