"""An exported model for one picture at a time."""

import numpy as np

from lookbook.inference.single import with_batch_of_one


def test_only_sizes_that_are_open_change(light_model):
    single = with_batch_of_one(light_model)
    before, after = (np.frombuffer(content, np.uint8) for content in (light_model, single))
    changed = np.flatnonzero(before != after)
    assert len(changed) % 4 == 0
    assert len(changed)
    assert set(before[changed]) == {255}  # -1 in four bytes becomes 1
    assert after[changed].reshape(-1, 4).tolist() == [[1, 0, 0, 0]] * (len(changed) // 4)
