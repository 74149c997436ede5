"""Names of files and classes as text: one place for each medium that would take some for more.

Names are other people's. A terminal obeys escape sequences, Markdown passes markup on, matplotlib
sets what stands between dollars as mathematics, a spreadsheet computes a cell that begins with `=`.
Pages are made by Jinja, which escapes by itself; their templates isolate names (`bdi`), so that
Arabic or Hebrew ones turn nothing but themselves.
"""

import re
import unicodedata

SENTENCES = ("\n", "\t")  # what our own text is laid out with
OF_EMOJI = ("\u200c", "\u200d")  # format characters that join letters and emoji, and do no harm
HARMFUL = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls, marks that turn text around, ends of lines

MARKUP = re.compile(r"[&<>|\[\]\\]")
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
FORMULA = re.compile(r"'*[=+\-@\t\r]")  # what a spreadsheet computes, or would but for our mark


def is_harmful(letter: str) -> bool:
    """Whether a letter turns, hides or breaks the text around it."""
    return unicodedata.category(letter) in HARMFUL and letter not in OF_EMOJI


def in_terminal(text: str) -> str:
    """Return lines as a terminal may show them: what would turn or hide letters is written out."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter if letter in SENTENCES else in_line(letter) for letter in text)


def in_line(name: str) -> str:
    """Return a name as a part of a terminal's line, which it cannot end."""
    return "".join(ascii(letter)[1:-1] if is_harmful(letter) else letter for letter in name)


def in_markdown(text: str) -> str:
    """Return a text as Markdown shows it: one line, no markup, links or cells of its own."""
    line = " ".join(in_terminal(text).split("\n"))
    return MARKUP.sub(lambda found: ENTITIES.get(found[0], f"\\{found[0]}"), line)


def in_chart(text: str) -> str:
    """Return a text as matplotlib shows it, where it is no mathematics."""
    return in_terminal(text).replace("$", r"\$")


def in_page(value: object) -> object:
    """Return what a page shows of a value: what would turn or hide letters is written out.

    It is Jinja's `finalize`. A mark that ends an isolation would let a name out of its `bdi`.
    """
    is_text = isinstance(value, str) and not hasattr(value, "__html__")
    return in_terminal(str(value)) if is_text else value


def in_cell(text: str) -> str:
    """Return a text as a cell that no spreadsheet computes; `from_cell` has it back."""
    return f"'{text}" if FORMULA.match(text) else text


def from_cell(cell: str) -> str:
    """Return the text that `in_cell` made a cell of."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
