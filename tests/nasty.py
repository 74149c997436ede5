"""Names of every nasty kind, and what pages make of them."""

import html.parser
import random

from lookbook.foundation.names import in_terminal, is_harmful

NASTY = [
    "$^$", "$", "a$b$", r"\$x$", r"$\frac{1}{2}$", "<b>bold</b>", "<script>alert(1)</script>",
    "![x](http://example.org/x.png)", "[x](javascript:alert(1))", "a|b", "`code`", "a&b",
    "=1+1", "+1", "-1", "@x", "'=x", "''=x", "'", "=cmd|' /C calc'!A0", "\t=x",
    "\u202egnp.exe", "\u2066x\u2069", "\x1b[2J", "a\u2028b", "a\nb", "a\rb", "caf\u00e9",
    "a\u00a0b", "a\u202fb", "\N{CAT FACE}", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\"><i>", "</script><img src=x onerror=alert(1)>", "\u2069\u202ex", "\u0642\u0637\u0629",
    "NA", "null", "", "1e5", "007",
]  # fmt: skip
MORE = ["\r", "\x9b31m", "\ufeff", "\U000e0041", "\x7f", "{{x}}", "%s"]


def nasty(count):
    """Return different names of every nasty kind."""
    rng = random.Random(0)
    parts = [*filter(None, NASTY), *MORE]
    return [f"{rng.choice(parts)}{number}{rng.choice(parts)}" for number in range(count)]


def nasty_classes(count):
    """Return different names of every nasty kind that a card takes for classes."""
    names = (name for name in nasty(3 * count) if not any(map(is_harmful, name)))
    return [next(names) for _ in range(count)]


class Page(html.parser.HTMLParser):
    """The elements of a page with the names of their attributes, and its text by where it is.

    Attributes:
        elements: In the order of the page.
        names: What stands in `bdi`, where it keeps its direction to itself.
        text: All else that is shown.
    """

    def __init__(self, text):
        super().__init__()
        self.elements, self.names, self.text, self._open = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, [name for name, _ in attributes]))
        self._open.append(tag)
        if tag == "bdi":
            self.names.append("")

    def handle_endtag(self, tag):
        self.elements.append((f"/{tag}", []))
        while tag in self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        inside = self._open[-1] if self._open else ""
        if inside == "bdi":
            self.names[-1] += data
        elif inside == "option":  # which holds no elements
            self.names += [part.partition("\u2069")[0] for part in data.split("\u2068")[1:]]
        elif inside not in ("script", "style", "title"):
            self.text += data


def check_names_are_text(page, plain, names):
    """Assert that names on a page are shown as they are, isolated, and change nothing else.

    Args:
        page: The text of a page that shows them.
        plain: Of the same page with other names.
        names: The nasty ones.
    """
    shown = Page(page)
    assert shown.elements == Page(plain).elements
    assert set(map(in_terminal, names)) - set(shown.names) == set()
    assert [name for name in names if name in shown.text] == []
