"""Words for the figures: what each is called, in which unit, what it says, where it is defined.

One entry for each figure of metrics/evaluate.json and metrics/preprocess.json, by its dotted name;
that of a figure with a part that the data name, such as a reason, ends before it.
"""

from dataclasses import dataclass
from typing import Any, Literal

from lookbook.reporting.numbers import SPACE, in_three_digits, percent, size

Unit = Literal["share", "pictures", "number", "bytes", "pixels", "times", "value"]
DOCS = "../docs/report.md"  # from metrics/report.html


@dataclass(frozen=True)
class Word:
    """What a figure is in words.

    Attributes:
        label: Its name.
        unit: What it counts.
        says: What it tells, in a sentence.
        anchor: Of the heading of docs/report.md that defines it.
    """

    label: str
    unit: Unit
    says: str
    anchor: str

    @property
    def link(self) -> str:
        """Where it is defined."""
        return f"{DOCS}#{self.anchor}"

    def told(self, value: Any, digits: int = 1) -> str:
        """Return a value in this unit.

        Args:
            value: As the metrics have it; None where there is none.
            digits: Of a percentage, after the point.
        """
        if value is None:
            return "none"
        if self.unit == "share":
            return percent(value, digits)
        if self.unit == "bytes":
            return size(value)
        if self.unit == "pixels":
            return f"{value:,}{SPACE}px"
        if self.unit == "times":
            return f"{value:.1f} times"
        return f"{value:,}" if isinstance(value, int) else in_three_digits(value)


RIGHT, SURE, ANSWER, COST, DATA = (
    "how-often-is-it-right",
    "is-it-as-sure-as-it-is-right",
    "when-does-it-not-answer",
    "what-does-a-model-cost",
    "what-was-found-out-about-the-data",
)

WORDS = {
    "accuracy": Word(
        "Test accuracy",
        "share",
        "Of the test pictures, the share that gets its true class.",
        RIGHT,
    ),
    "accuracy_low": Word(
        "Test accuracy, at least",
        "share",
        "Lower end of the 95 % interval: with other test pictures of the same kind, "
        "accuracies below are unlikely.",
        RIGHT,
    ),
    "accuracy_high": Word(
        "Test accuracy, at most",
        "share",
        "Upper end of the 95 % interval: with other test pictures of the same kind, "
        "accuracies above are unlikely.",
        RIGHT,
    ),
    "validation_accuracy": Word(
        "Validation accuracy",
        "share",
        "The share right of the validation pictures, by which the model to use is picked.",
        RIGHT,
    ),
    "balanced_accuracy": Word(
        "Balanced accuracy",
        "share",
        "The mean of the classes' recalls: every class counts alike, however few pictures it has.",
        RIGHT,
    ),
    "balanced_accuracy_low": Word(
        "Balanced accuracy, at least",
        "share",
        "Lower end of its 95 % interval.",
        RIGHT,
    ),
    "balanced_accuracy_high": Word(
        "Balanced accuracy, at most",
        "share",
        "Upper end of its 95 % interval.",
        RIGHT,
    ),
    "validation_balanced_accuracy": Word(
        "Validation balanced accuracy",
        "share",
        "The balanced accuracy on validation pictures, by which the model to use is picked.",
        RIGHT,
    ),
    "macro_f1": Word(
        "Macro F1",
        "share",
        "The mean over the classes of F1, which is high only where precision and recall both are.",
        RIGHT,
    ),
    "top2_accuracy": Word(
        "Top-2 accuracy",
        "share",
        "The share of test pictures whose true class is one of the two likeliest.",
        RIGHT,
    ),
    "classes.precision": Word(
        "Precision",
        "share",
        "Of the pictures that were called this class, the share that is of it.",
        RIGHT,
    ),
    "classes.recall": Word(
        "Recall",
        "share",
        "Of the pictures that are of this class, the share that was called it.",
        RIGHT,
    ),
    "classes.support": Word(
        "Test pictures",
        "pictures",
        "How many test pictures of this class there are: of few, its figures say little.",
        RIGHT,
    ),
    "relabelled_test": Word(
        "Test labels changed",
        "pictures",
        "Test labels that were changed or dropped in a review: figures are not those of the"
        " labels as given.",
        RIGHT,
    ),
    "log_loss": Word(
        "Log loss",
        "value",
        "How surprised the model is by the true classes; 0 is best, and being sure and "
        "wrong costs most.",
        SURE,
    ),
    "calibration_error": Word(
        "Calibration error",
        "share",
        "How far, on average, the share right is from how sure the model says it is.",
        SURE,
    ),
    "calibration_error_scaled": Word(
        "Calibration error, scaled",
        "share",
        "The same once probabilities are scaled by the temperature, as answers have them.",
        SURE,
    ),
    "temperature": Word(
        "Temperature",
        "value",
        "What the logarithms of probabilities are divided by: above 1 the model was too "
        "sure, below 1 not sure enough.",
        SURE,
    ),
    "answers.coverage": Word(
        "Coverage promised",
        "share",
        "The share of pictures whose true class is promised to be among those in question.",
        ANSWER,
    ),
    "answers.covered": Word(
        "Coverage kept",
        "share",
        "The share of test pictures whose true class was among those in question.",
        ANSWER,
    ),
    "answers.least_probability": Word(
        "Least probability",
        "share",
        "From this probability on a class is in question.",
        ANSWER,
    ),
    "answers.kept": Word(
        "Pictures to be taken for known",
        "share",
        "The share of pictures like these that is promised not to be called none of these.",
        ANSWER,
    ),
    "answers.most_strangeness": Word(
        "Most strangeness",
        "value",
        "A picture that is stranger than this, in the model's own measure, is called none "
        "of these.",
        ANSWER,
    ),
    "answers.answered": Word(
        "One class named",
        "share",
        "The share of test pictures for which the model, when asked for an answer, names "
        "one class.",
        ANSWER,
    ),
    "answers.answered_right": Word(
        "Right where one is named",
        "share",
        "Of the test pictures for which it names one class, the share that is of it.",
        ANSWER,
    ),
    "answers.unsure": Word(
        "Unsure",
        "share",
        "The share of test pictures for which several classes are in question, or none.",
        ANSWER,
    ),
    "answers.strangers": Word(
        "None of these",
        "share",
        "The share of test pictures that it takes for none of its classes.",
        ANSWER,
    ),
    "image_size": Word(
        "Sees",
        "pixels",
        "The side of the square that the model shrinks a picture to.",
        COST,
    ),
    "parameters": Word(
        "Parameters",
        "number",
        "How many numbers were learnt from the training pictures.",
        COST,
    ),
    "operations": Word(
        "Operations a picture",
        "number",
        "Additions and multiplications for one picture: what an answer costs, on any machine.",
        COST,
    ),
    "file_bytes": Word(
        "File size",
        "bytes",
        "Of the model's file.",
        COST,
    ),
    "pictures": Word(
        "Pictures",
        "pictures",
        "How many pictures there are to learn from, to choose by, and to test with.",
        DATA,
    ),
    "classes": Word(
        "Pictures by class",
        "pictures",
        "How many pictures of each class each split has.",
        DATA,
    ),
    "imbalance": Word(
        "Largest to smallest class",
        "times",
        "How many times as many pictures the largest class has as the smallest.",
        DATA,
    ),
    "duplicates": Word(
        "Exact copies",
        "pictures",
        "Pictures with the same pixels, within a split or in two of them: a copy in the "
        "test pictures makes figures too good.",
        DATA,
    ),
    "duplicates.conflicting_labels": Word(
        "Copies with two labels",
        "pictures",
        "Pictures with the same pixels that are given different classes: one label is wrong.",
        DATA,
    ),
    "near_duplicates": Word(
        "Near copies",
        "pictures",
        "Pictures that hardly differ from one of another split: they make figures too good.",
        DATA,
    ),
    "near_blank": Word(
        "Blank pictures",
        "pictures",
        "Pictures of nearly one brightness, on which there is little to see.",
        DATA,
    ),
    "sizes": Word(
        "Sizes",
        "pixels",
        "Width and height of the pictures as they were published.",
        DATA,
    ),
    "sizes.different": Word(
        "Different sizes",
        "number",
        "How many sizes the pictures have.",
        DATA,
    ),
    "dropped": Word(
        "Left out",
        "pictures",
        "Pictures that no split has, by reason.",
        DATA,
    ),
    "relabelled": Word(
        "Labels changed",
        "pictures",
        "Labels that were changed in a review, or whose pictures were dropped for it.",
        DATA,
    ),
    "chosen": Word(
        "Chosen by the data",
        "value",
        "What a parameter that is left to the data comes to.",
        DATA,
    ),
}


def word(figure: str) -> Word:
    """Return the words of a figure, or of the nearest section that it stands in.

    Args:
        figure: Its dotted name, without the class that it is of.

    Raises:
        KeyError: If there are none.
    """
    name = figure
    while name not in WORDS:
        name, dot, _ = name.rpartition(".")
        if not dot:
            raise KeyError(figure)
    return WORDS[name]
