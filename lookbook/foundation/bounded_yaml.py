"""YAML as anybody may hand it to us, read within bounds: no time, no memory, no stack runs out.

As YAML's 1.1, but that a date is text, and that a name that stands twice is an error.
"""

from typing import Any

import yaml
from yaml.composer import ComposerError

MAX_CHARACTERS = 2**20
MAX_DEPTH = 30  # lists in lists and names in names; cards have 5
MAX_NODES = 100_000  # values, those that are referred to (`*name`) counted each time
MAX_DIGITS = 40
NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
DATE = "tag:yaml.org,2002:timestamp"


def load(text: str) -> Any:
    """Return what a YAML document holds.

    Raises:
        ValueError: If it is none, or passes a bound.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"{len(text):,} characters, over {MAX_CHARACTERS:,}")
    try:
        return yaml.load(text, _BoundedLoader)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    except (LookupError, AttributeError, OverflowError) as error:  # `!!bool x`, `!!timestamp x`
        raise ValueError(f"a value that is not of its type ({error})") from None


class _BoundedLoader(yaml.SafeLoader):
    yaml_implicit_resolvers = {  # noqa: RUF012  # as PyYAML has it
        letter: [(tag, pattern) for tag, pattern in resolvers if tag != DATE]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, text: str):
        super().__init__(text)
        self._depth = self._nodes = 0
        self._sizes: dict[int, int] = {}  # of nodes with all below them

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event, before = self.peek_event(), self._nodes
        self._depth += 1
        self._nodes += 1
        if self._depth > MAX_DEPTH:
            raise _fault(f"found more than {MAX_DEPTH} levels", event)
        node = super().compose_node(parent, index)
        if isinstance(event, yaml.AliasEvent):
            if id(node) not in self._sizes:
                raise _fault("found a value that holds itself", event)
            self._nodes += self._sizes[id(node)]
        else:
            self._sizes[id(node)] = self._nodes - before
        if self._nodes > MAX_NODES:
            raise _fault(f"found more than {MAX_NODES:,} values", event)
        self._depth -= 1
        return node

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        event = self.peek_event()
        node = super().compose_scalar_node(anchor)
        if node.tag in NUMBERS and len(node.value) > MAX_DIGITS:
            raise _fault(f"found a number of more than {MAX_DIGITS} digits", event)
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise ComposerError(None, None, f"found {key.value} twice", key.start_mark)
                seen.add(key.value)
        return node


def _fault(words: str, event: Any) -> ComposerError:
    return ComposerError(None, None, words, event.start_mark)
