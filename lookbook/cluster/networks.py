"""What the bytes of what a network says depend on besides its weights and the pictures."""

import os

import tensorflow as tf

from lookbook.cluster.conditions import ARITHMETIC, EVERYWHERE, THREADS, Conditions, software
from lookbook.foundation.arithmetic import of_networks, processor


def conditions(repeatable: str = EVERYWHERE) -> Conditions:
    """Return what they are in this process.

    Args:
        repeatable: How far a training that it starts is: `everywhere`, or `machine`, where the
            training computes with all that the machine has.
    """
    arithmetic = of_networks() if repeatable == EVERYWHERE else processor()
    details = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
    kinds = {detail.get("device_name", "a GPU without a name") for detail in details}
    return {
        ARITHMETIC: arithmetic,
        THREADS: "any" if arithmetic == EVERYWHERE else str(_cores()),
        "the device": ", ".join(sorted(kinds)) or "the CPU",
        **software("tensorflow", "keras"),
    }


def _cores() -> int:
    """Return how many threads TensorFlow takes by default: it sees no container's quota."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
