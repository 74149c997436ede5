"""Where a precision of the arithmetic is refused."""

import pytest

from lookbook.foundation import arithmetic
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.params import load_params
from lookbook.training.devices import check_precision

VOLTA, AMPERE = (7, 0), (8, 0)


def asked(precision, repeatable="machine"):
    update = {"precision": precision, "repeatable": repeatable}
    return load_params().hardware.model_copy(update=update)


@pytest.mark.parametrize(
    ("precision", "gpus", "instructions"),
    [
        ("float32", [], ()),
        ("float16", [VOLTA], ()),
        ("float16", [AMPERE, VOLTA], ()),
        ("bfloat16", [AMPERE], ()),
        ("bfloat16", [], ("avx2", "avx512_bf16")),
        ("bfloat16", [], ("amx_bf16",)),
    ],
)
def test_what_is_faster_is_done(monkeypatch, precision, gpus, instructions):
    monkeypatch.setattr(arithmetic, "instructions", lambda: set(instructions))
    check_precision(asked(precision), gpus)


@pytest.mark.parametrize(
    ("precision", "repeatable", "gpus", "instructions", "received"),
    [
        ("float16", "machine", [], {"avx512_bf16"}, "no GPU, and processors have no arithmetic"),
        ("float16", "machine", [(6, 1)], set(), r"one of 6\.1"),
        ("bfloat16", "machine", [AMPERE, VOLTA], {"avx512_bf16"}, r"one of 7\.0"),
        ("bfloat16", "machine", [], {"avx2", "avx512f"}, "no GPU, and a processor without"),
        ("bfloat16", "everywhere", [], {"avx512_bf16"}, "hardware.repeatable=everywhere"),
    ],
)
def test_what_is_slower_is_refused(
    monkeypatch, precision, repeatable, gpus, instructions, received
):
    monkeypatch.setattr(arithmetic, "instructions", lambda: instructions)
    with pytest.raises(LookbookError, match=f"precision={precision}. Received: {received}.* Set "):
        check_precision(asked(precision, repeatable), gpus)
