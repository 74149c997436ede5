import os
import subprocess
import sys

import pytest

from lookbook.foundation import arithmetic

HASHES = """\
import hashlib, os
from lookbook.foundation.arithmetic import settle
if {settles}:
    settle()
import numpy as np
rng = np.random.default_rng(0)
x, y = rng.random((3000, 300)), rng.random((300, 50))
made = [x @ y, x.astype("f") @ y.astype("f"), *np.linalg.eigh(x.T @ x)]
made += [np.exp(x), np.log(x), np.tanh(x), x ** 0.3, x.sum(axis=1), x.std(axis=0)]
print(hashlib.sha256(b"".join(a.tobytes() for a in made)).hexdigest())
"""
OTHERS = [
    {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_NUM_THREADS": "2"},
    {"OPENBLAS_CORETYPE": "SkylakeX", "OMP_NUM_THREADS": "4"},
    {"OPENBLAS_CORETYPE": "Zen", "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"},
    {"NPY_DISABLE_CPU_FEATURES": "X86_V4 X86_V3 AVX512_ICL AVX512_SPR"},
    {"OPENBLAS_CORETYPE": "Nehalem", "OPENBLAS_NUM_THREADS": "1"},
]


@pytest.fixture
def claiming(tmp_path, monkeypatch):
    """A function that lets this machine say of itself what its processor can do."""
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(arithmetic.platform, "machine", lambda: "x86_64")

    def claim(flags):
        monkeypatch.setattr(arithmetic, "PROCESSOR", tmp_path / "cpuinfo")
        if flags is not None:
            (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: fpu {flags}\n\n" * 2)

    return claim


def test_the_environment_is_settled_whatever_it_said(claiming):
    claiming("avx avx2 fma avx512f")
    os.environ["OPENBLAS_CORETYPE"] = "SkylakeX"
    arithmetic.settle()
    assert os.environ["OPENBLAS_CORETYPE"] == "Haswell"
    assert os.environ["ONEDNN_MAX_CPU_ISA"] == "AVX2"
    assert arithmetic.of_networks() == "everywhere"
    arithmetic.release()
    assert arithmetic.of_networks() == arithmetic.processor() != "everywhere"
    assert os.environ["OPENBLAS_CORETYPE"] == "Haswell"
    assert "ONEDNN_MAX_CPU_ISA" not in os.environ


@pytest.mark.parametrize("flags", ["avx", "avx2", "", None])
def test_a_processor_that_lacks_what_is_common_is_left_as_it_is(claiming, flags):
    claiming(flags)
    before = dict(os.environ)
    arithmetic.settle()
    assert os.environ == before | {arithmetic.OF_GPUS: "true"}
    assert not arithmetic.is_common()


def test_the_memory_of_a_gpu_is_taken_as_needed_unless_told_otherwise(claiming):
    claiming("avx2 fma")
    os.environ.pop("TF_FORCE_GPU_ALLOW_GROWTH", None)
    arithmetic.settle()
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "false"
    arithmetic.settle()
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "false"


def test_a_class_of_processors_has_a_name(claiming, monkeypatch):
    monkeypatch.setattr(arithmetic.platform, "system", lambda: "Linux")
    claiming("avx avx2 fma avx512f")
    assert arithmetic.processor() == "Linux on x86_64 with AVX512F"
    claiming("avx avx2 fma")
    assert arithmetic.processor() == "Linux on x86_64 with AVX2"
    monkeypatch.setattr(arithmetic.platform, "machine", lambda: "aarch64")
    claiming("")
    assert arithmetic.processor() == "Linux on aarch64"


def sums(settles, **environment):
    keep = {name: value for name, value in os.environ.items() if "BLAS" not in name}
    script = HASHES.format(settles=settles)
    return subprocess.run(
        [sys.executable, "-c", script], env=keep | environment, check=True, capture_output=True
    ).stdout


@pytest.mark.skipif(not arithmetic.is_common(), reason="needs AVX2")
@pytest.mark.parametrize("environment", OTHERS, ids=" ".join)
def test_sums_are_the_same_whatever_the_environment_says(environment):
    assert sums(True, **environment) == sums(True)


@pytest.mark.skipif(not arithmetic.is_common(), reason="needs AVX2")
def test_the_environments_do_make_a_difference_where_nothing_is_settled():
    assert sums(False, **OTHERS[0]) != sums(False, **OTHERS[-1])
