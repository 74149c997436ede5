"""Say what an exported model sees in pictures, wherever they lie.

    lookbook predict photo.jpg               one or several files
    lookbook predict ~/photos                a folder of any depth
    lookbook predict ~/photos.zip            an archive (zip, tar, tar.gz), which is not unpacked
    find . -name '*.jpg' -print0 | lookbook predict -0 -     names on standard input
    lookbook predict ~/photos --output answers.csv           or .jsonl, .parquet
    lookbook predict ~/photos --sort-into sorted             copies in one folder a class
    lookbook predict ~/labelled --score      accuracy on a folder with one folder a class

The answer is a class, `unsure` where several are in question or none, or `none of these` where the
picture is of another kind than those that the model learnt from. A table that is there gets rows
for pictures that it lacks. Bad files are listed, with reasons, and are rows too; the exit code is 2
only if no picture could be read. It runs anywhere, and needs nothing of the pipeline; the model is
the one of models/export that validation data picked, or --model.
"""

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lookbook.foundation.errors import FAULT, LookbookError
from lookbook.foundation.names import in_line

if TYPE_CHECKING:
    from tqdm import tqdm

    from lookbook.inference.classifier import Classifier
    from lookbook.predicting.answering import Answered
    from lookbook.predicting.finding import Found, Search

ANYWHERE = True  # it need not be called in a clone


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="file, folder, archive; -: names")
    parser.add_argument("--model", type=Path, metavar="FILE", help="an exported one: .tflite")
    parser.add_argument("--output", type=Path, metavar="FILE", help=".csv, .jsonl or .parquet")
    parser.add_argument("--force", action="store_true", help="overwrite the file of --output")
    parser.add_argument("--sort-into", type=Path, metavar="FOLDER", help="copy into it, by answers")
    parser.add_argument("--link", action="store_true", help="with --sort-into: hard links")
    parser.add_argument("--score", action="store_true", help="folders' names are the true classes")
    parser.add_argument("-0", "--null", action="store_true", help="names of - end in NUL")


def run(arguments: argparse.Namespace) -> int | None:
    """Look at the pictures, write what the model says, list what could not be read."""
    check_arguments(arguments)
    from lookbook.inference.classifier import Classifier
    from lookbook.predicting.answering import answered, picked_model
    from lookbook.predicting.finding import Search
    from lookbook.predicting.scoring import Score, class_folders
    from lookbook.predicting.sorting import Sorter

    classifier = Classifier(arguments.model or picked_model())
    names, tally = classifier.card.class_names, Tally(known=known_rows(arguments, classifier))
    truths = class_folders(Path(arguments.paths[0]), names) if arguments.score else {}
    search = Search(list(truths) if truths else places(arguments))
    score, count = Score(names), search.count()
    sorter = arguments.sort_into and Sorter(arguments.sort_into, names, links=arguments.link)
    with writing(arguments, classifier) as write:
        new = tally.new(search)
        for one in tally.told(answered(classifier, new, count=count, keeps=bool(sorter)), count):
            write(one)
            if sorter:
                sorter.take(one)
            if truths:
                score.take(truths[one.found.place], one.said)
        tally.check_any(arguments.paths, search)
    if truths:
        print("\n".join(map(in_line, score.lines())))
    print(tally.summary(search), file=sys.stderr)
    if sorter and sorter.copied:
        print(f"{sorter.copied:,} could not be linked and were copied", file=sys.stderr)
    return FAULT if tally.faults and not (tally.read or tally.again) else None


def check_arguments(arguments: argparse.Namespace) -> None:
    """Raise a LookbookError if the arguments do not go together."""
    from lookbook.predicting.sorting import check_outside
    from lookbook.predicting.tables import check_suffix

    if arguments.output:
        check_suffix(arguments.output)
    if arguments.sort_into:
        check_outside(arguments.sort_into, arguments.paths)
    elif arguments.link:
        raise LookbookError("Expected --sort-into with --link. Received: none. Add a folder to it.")
    if "-" in arguments.paths and len(arguments.paths) > 1:
        raise LookbookError(
            "Expected - alone, for names on standard input. Received: other paths, too. Print "
            "them with the others."
        )
    if arguments.score and len(arguments.paths) > 1:
        raise LookbookError(
            f"Expected one folder for --score. Received: {len(arguments.paths)} paths. Name the "
            "one that has a folder for each class."
        )


def places(arguments: argparse.Namespace) -> "list[str] | Iterator[str]":
    """Return where to look: what is given, or the names on standard input as they come."""
    from lookbook.predicting.finding import names_in

    if arguments.paths == ["-"]:
        return names_in(sys.stdin.buffer, b"\0" if arguments.null else b"\n")
    return arguments.paths


def known_rows(arguments: argparse.Namespace, classifier: "Classifier") -> set[str]:
    """Return the paths that the table has rows of already."""
    from lookbook.predicting.tables import columns_of, known_paths, stamp_of

    if not arguments.output or arguments.force:
        return set()
    if arguments.score and arguments.output.exists():
        raise LookbookError(
            f"Expected a new file for --output with --score. Received: {arguments.output}, which "
            "is there. Name another file, or overwrite it with --force."
        )
    columns = columns_of(classifier.card.class_names)
    return known_paths(arguments.output, columns, stamp_of(classifier.card, ""))


@contextlib.contextmanager
def writing(
    arguments: argparse.Namespace, classifier: "Classifier"
) -> "Iterator[Callable[[Answered], object]]":
    """Give what writes a row: to a file, for people to a terminal, or as CSV to what follows."""
    from lookbook.foundation.git import head_of
    from lookbook.predicting.tables import CsvRows, adding_rows, columns_of, row_of, stamp_of

    columns = columns_of(classifier.card.class_names)
    stamp = stamp_of(classifier.card, head_of(classifier.path.absolute().parent))
    if arguments.output:
        with adding_rows(arguments.output, columns, keeps=not arguments.force) as rows:
            yield lambda one: rows.write(row_of(one.found.name, one.said, stamp))
    elif arguments.score:
        yield lambda one: None
    elif on_terminal():
        width = max(map(len, [*classifier.card.class_names, "none of these"]))
        yield lambda one: print_line(one, width)
    else:
        sheet = CsvRows(sys.stdout.buffer, columns)
        yield lambda one: sheet.write(row_of(one.found.name, one.said, stamp))
        sys.stdout.buffer.flush()


def on_terminal() -> bool:
    """Whether a person reads what is printed."""
    return sys.stdout.isatty()


def print_line(one: "Answered", width: int) -> None:
    """Print one picture's answer for people."""
    from lookbook.pictures.decoding import Fault

    if not isinstance(one.said, Fault):
        share = f"{100 * one.said.probability:.0f} %"
        likeliest = "" if one.said.answer == one.said.likeliest else f"  ({one.said.reason})"
        line = f"{one.said.answer:<{width}}  {share:>5}  {one.found.name}{likeliest}"
        print(in_line(line))


@contextlib.contextmanager
def progress_bar(count: int | None) -> "Iterator[tqdm | None]":
    """Give a bar on stderr, if that is a terminal on which nothing else is shown."""
    if not sys.stderr.isatty() or on_terminal():
        yield None
        return
    from tqdm import tqdm

    with tqdm(total=count, unit=" pictures", file=sys.stderr) as bar:
        yield bar


@dataclass
class Tally:
    """How many pictures there were, of which kind.

    Attributes:
        known: Paths that are not looked at again.
        again: How many of them were found.
        read: How many pictures were answered.
        faults: How many could not be read.
    """

    known: set[str]
    again: int = 0
    read: int = 0
    faults: int = 0

    def new(self, search: "Search") -> "Iterator[Found]":
        """Yield what is found and not known."""
        from lookbook.predicting.tables import as_text

        for found in search:
            if self.known and as_text(found.name) in self.known:
                self.again += 1
            else:
                yield found

    def told(self, results: "Iterator[Answered]", count: int | None) -> "Iterator[Answered]":
        """Yield the results, count them, and list faults and progress on stderr."""
        from lookbook.pictures.decoding import Fault

        with progress_bar(count) as bar:
            for one in results:
                if isinstance(one.said, Fault):
                    self.faults += 1
                    if bar:
                        bar.clear()
                    print(in_line(f"{one.found.name}: {one.said.reason}"), file=sys.stderr)
                else:
                    self.read += 1
                if bar:
                    bar.update()
                yield one

    def check_any(self, paths: list[str], search: "Search") -> None:
        """Raise a LookbookError if there was no picture at all."""
        if not self.read + self.faults + self.again:
            others = f"{search.left_out:,} other files" if search.left_out else "none"
            raise LookbookError(
                f"Expected pictures in {in_line(' '.join(paths))}. Received: {others}. Name a "
                "picture, an archive, or a folder of pictures (not hidden, with their suffixes)."
            )

    def summary(self, search: "Search") -> str:
        """Return what is said at the end."""
        parts = [f"{self.read:,} answered"]
        if self.faults:
            parts.append(f"{self.faults:,} could not be read")
        if self.again:
            parts.append(f"{self.again:,} had their rows already")
        if search.left_out:
            parts.append(f"{search.left_out:,} left out, no pictures by their names")
        return "; ".join(parts)
