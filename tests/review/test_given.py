import pandas as pd
import pytest

from lookbook.foundation.errors import LookbookError
from lookbook.review.given import fingerprint, spec_of


def test_a_fingerprint_is_of_pictures_and_labels_in_any_order():
    table = pd.DataFrame({"id": ["1", "2"], "given": ["a", "b"]})
    assert fingerprint(table) == fingerprint(table.iloc[::-1])
    assert fingerprint(table) != fingerprint(table.assign(given=["b", "a"]))
    assert fingerprint(table) != fingerprint(table.iloc[:1])


def test_splits_of_another_set_are_refused(processed):
    assert spec_of("digits").num_classes == 10
    with pytest.raises(LookbookError, match="splits of mnist .* Received: those of digits"):
        spec_of("mnist")
