import numpy as np

from lookbook.reporting.models import MOST_CLASSES, Cell, confusion, told


def test_mistakes_are_the_stronger_coloured_the_more_there_are():
    shares = np.array([[0.996, 0.004, 0], [0.3, 0.7, 0], [np.nan] * 3])
    table = confusion(shares, ["a", "b", "c"], {(0, 1): "pictures"})
    assert table.columns == ["a", "b", "c"]
    assert table.rows == [
        ("a", [Cell("100", "right", ""), Cell("<1", "wrong-1", "pictures"), Cell("", "", "")]),
        ("b", [Cell("30", "wrong-6", ""), Cell("70", "right", ""), Cell("", "", "")]),
        ("c", [Cell("", "", "")] * 3),
    ]
    assert table.is_short


def test_of_many_classes_those_with_the_most_mistakes_are_shown():
    count = MOST_CLASSES + 5
    shares = np.eye(count)
    shares[-1] = 0
    shares[-1, [-1, 0]] = 0.25, 0.75
    table = confusion(shares, [f"class {n}" for n in range(count)], {})
    assert len(table.rows) == MOST_CLASSES
    assert table.rows[-1][0] == f"class {count - 1}"
    assert table.columns[-1] == "others"
    assert table.left_out == 5


def test_figures_are_told_with_their_interval():
    figures = {"accuracy": 0.9916, "accuracy_low": 0.9757, "accuracy_high": 0.9972,
               "classes": {}, "answers": {"unsure": 0.0446}}  # fmt: skip
    found = [(figure.word.label, figure.text.replace("\N{NO-BREAK SPACE}", " "))
             for figure in told(figures, 1)]  # fmt: skip
    assert found == [("Test accuracy", "99.2 % (97.6 % to 99.7 %)"), ("Unsure", "4.5 %")]
