"""What networks are trained on: one device or several, and in which arithmetic.

XLA is not among the choices: TensorFlow refuses to compile the gradient of max-pooling once
operations have to be deterministic, and on CPUs a training step of train_cnn takes twice as long
with it (`python -m benchmarks matmul` measures it).
"""

import contextlib
import logging
import math
from collections.abc import Iterator

import keras
import psutil
import tensorflow as tf

from lookbook.foundation import arithmetic
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.params import HardwareParams

logger = logging.getLogger(__name__)

# What computes in less than float32, and faster: NVIDIA's GPUs from Volta and from Ampere on, and
# the instructions of processors, as Linux names them.
CAPABILITY = {"float16": (7, 0), "bfloat16": (8, 0)}
BFLOAT16 = {"avx512_bf16", "amx_bf16"}


@contextlib.contextmanager
def prepared(hardware: HardwareParams, seed: int) -> Iterator[None]:
    """Make TensorFlow repeatable, and build and train what is inside on the chosen devices.

    How far that reaches is settled before TensorFlow first computes, and not after. Whatever the
    precision of the arithmetic, weights are kept and saved in float32.

    Raises:
        LookbookError: If there is no arithmetic here of the precision that `hardware` asks for, so
            that it would be slower.
    """
    if hardware.repeatable == "machine":
        arithmetic.release()
    make_deterministic(seed)
    gpus = tf.config.list_logical_devices("GPU")
    used = tf.config.list_physical_devices("GPU")[: None if hardware.devices == "all" else 1]
    check_precision(hardware, [_capability(device) for device in used])
    if hardware.precision != "float32":
        keras.config.set_dtype_policy(f"mixed_{hardware.precision}")
    try:
        with strategy_for([device.name for device in gpus], hardware).scope():
            yield
    finally:
        keras.config.set_dtype_policy("float32")


def check_precision(hardware: HardwareParams, gpus: list[tuple[int, int]]) -> None:
    """Refuse a precision that is slower here than float32.

    Args:
        hardware: Asks for one.
        gpus: What NVIDIA calls the compute capability of each; without one, the processor trains.

    Raises:
        LookbookError: Says where the precision is faster.
    """
    if hardware.precision == "float32":
        return
    least = CAPABILITY[hardware.precision]
    expected = f"a GPU of compute capability {least[0]}.{least[1]} or later"
    if gpus:
        received = f"one of {'.'.join(map(str, min(gpus)))}" if min(gpus) < least else None
    elif hardware.precision == "float16":
        received = "no GPU, and processors have no arithmetic for it"
    else:
        expected += ", or a processor with AVX512_BF16 or AMX and hardware.repeatable=machine"
        if not BFLOAT16 & arithmetic.instructions():
            received = "no GPU, and a processor without"
        elif hardware.repeatable == "everywhere":
            received = "hardware.repeatable=everywhere, which leaves these instructions unused"
        else:
            received = None
    if received:
        raise LookbookError(
            f"Expected {expected} for hardware.precision={hardware.precision}. "
            f"Received: {received}. Set hardware.precision=float32, which is faster here."
        )


def _capability(device: tf.config.PhysicalDevice) -> tuple[int, int]:
    details = tf.config.experimental.get_device_details(device)
    return details.get("compute_capability", (0, 0))


def kept(hardware: HardwareParams) -> str:
    """Return what can be kept here of `hardware.repeatable`: `everywhere` or `machine`."""
    if hardware.repeatable == "everywhere" and tf.config.list_physical_devices("GPU"):
        logger.info("repeatable: on GPUs of this kind; other devices give other last bits")
        return "machine"
    if hardware.repeatable == "everywhere" and not arithmetic.is_common():
        logger.info("repeatable: on this kind of processor, which is not x86-64 Linux with AVX2")
        return "machine"
    return hardware.repeatable


def make_deterministic(seed: int) -> None:
    """Seed everything and make TensorFlow's results repeatable."""
    keras.config.set_floatx("float32")  # ~/.keras/keras.json may say otherwise
    keras.config.set_dtype_policy("float32")
    keras.config.set_image_data_format("channels_last")
    keras.utils.clear_session()  # layer names do not depend on what was built before
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    tf.get_logger().setLevel(logging.ERROR)  # its warnings are for whoever writes a network


def strategy_for(gpus: list[str], hardware: HardwareParams) -> tf.distribute.Strategy:
    """Return how the work is shared: over all GPUs, each taking a part of every batch, or not."""
    if hardware.devices == "all" and len(gpus) > 1:
        logger.info("training on %d GPUs", len(gpus))
        return tf.distribute.MirroredStrategy(gpus)
    return tf.distribute.get_strategy()


def device_count() -> int:
    """Return how many replicas of the model there are: 1 outside of any strategy."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def check_memory(model: keras.Model, batch_size: int, parameter: str) -> None:
    """Stop before a training that cannot fit into the memory of this machine.

    Counted are the outputs of all layers for a batch, each with its gradient, and the weights with
    their gradients and the optimizer's two averages, in float32. GPUs report for themselves what
    does not fit.

    Raises:
        LookbookError: Names the parameter to lower.
    """
    if tf.config.list_logical_devices("GPU"):
        return
    needed = 8 * batch_size * _outputs(model) + 16 * model.count_params()
    present = psutil.virtual_memory().total
    if needed > present:
        amounts = f"about {needed / 2**30:,.0f} GiB with {present / 2**30:,.0f} GiB in this machine"
        raise out_of_memory(parameter, batch_size, amounts)


def out_of_memory(parameter: str, value: int, received: str) -> LookbookError:
    """Return the error for a batch that is too large."""
    return LookbookError(
        f"Expected a training step to fit into memory. Received: {received.splitlines()[0]}, for "
        f"{parameter}={value}. Lower {parameter}."
    )


def _outputs(model: keras.Model) -> int:
    """Return how many numbers the layers of a model give for one example."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            total += _outputs(layer)
        elif isinstance(layer.output, keras.KerasTensor):
            total += math.prod(size or 1 for size in layer.output.shape[1:])
    return total
