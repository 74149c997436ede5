"""In which arithmetic a process computes: one that every x86-64 processor with AVX2 has.

A library that finds wider registers or more cores adds up in another order, which changes the last
bits of a sum, and with them what is versioned. Those that do read the environment, each once: NumPy
and OpenBLAS when they are loaded, TensorFlow and its oneDNN when they first compute. So the stages
and the command settle it before anything else, whatever the user's environment says.
"""

import os
import platform
from pathlib import Path

EVERYWHERE = "everywhere"  # all processors with AVX2 agree
PROCESSOR = Path("/proc/cpuinfo")
NEEDED = {"avx2", "fma"}  # instructions

OF_NUMPY = {
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_NUM_THREADS": "1",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}
OF_TENSORFLOW = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    # Whatever the cores: eight take no longer on two of them than two do.
    "TF_NUM_INTRAOP_THREADS": "8",
}
# Otherwise TensorFlow decides by the processor. Without oneDNN it takes three times as long.
WITH_ONEDNN = {"TF_ENABLE_ONEDNN_OPTS": "1"}
# Otherwise TensorFlow takes all of a GPU's memory, and leaves none to another process.
OF_GPUS = "TF_FORCE_GPU_ALLOW_GROWTH"


def settle() -> None:
    """Let this process compute as any processor with AVX2 does, if it has one.

    On a GPU it takes the memory that it needs, unless the environment says otherwise. To be called
    before NumPy and TensorFlow are imported.
    """
    os.environ.setdefault(OF_GPUS, "true")
    if is_common():
        os.environ.update(OF_NUMPY | OF_TENSORFLOW | WITH_ONEDNN)


def release() -> None:
    """Let networks be computed with all that this machine has.

    To be called before TensorFlow first computes.
    """
    for name in OF_TENSORFLOW:
        os.environ.pop(name, None)


def of_networks() -> str:
    """Return in which arithmetic networks are computed: `everywhere`, or this processor's."""
    is_settled = OF_TENSORFLOW.items() <= os.environ.items()
    return EVERYWHERE if is_settled and is_common() else processor()


def is_common() -> bool:
    """Return whether this is Linux on an x86-64 processor with AVX2: one of those that agree."""
    return platform.machine() == "x86_64" and instructions() >= NEEDED


def processor() -> str:
    """Return the class of processor that this is."""
    known = instructions()
    widest = next((name for name in ("avx512f", "avx2", "avx") if name in known), "")
    words = f"{platform.system()} on {platform.machine()}"
    return f"{words} with {widest.upper()}" if widest else words


def instructions() -> set[str]:
    """Return what Linux says that the processor can do; nothing elsewhere."""
    if not PROCESSOR.is_file():
        return set()
    lines = PROCESSOR.read_text(encoding="utf-8", errors="replace").splitlines()
    return set(next((line for line in lines if line.startswith("flags")), "").split())
