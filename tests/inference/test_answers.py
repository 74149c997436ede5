import numpy as np

from lookbook.inference.answers import STRANGER, UNSURE, answers, in_question


def test_one_class_in_question_is_the_answer_and_a_stranger_is_none():
    calibrated = np.array([[0.9, 0.1], [0.6, 0.4], [0.29, 0.28], [0.1, 0.9]])
    strangeness = np.array([1.0, 1.0, 1.0, 3.0])
    said = answers(calibrated, strangeness, least_probability=0.3, most_strangeness=2.0)
    assert said.tolist() == [0, UNSURE, UNSURE, STRANGER]


def test_a_class_at_the_threshold_is_in_question():
    assert in_question(np.array([[0.3, 0.7]]), 0.3).tolist() == [[True, True]]
