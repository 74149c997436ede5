"""Write a card, or change one in place: its comments, quotes and order survive."""

from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from lookbook.foundation.files import replacing

WIDTH = 100
TEXT = "tag:yaml.org,2002:str"
SHORT_TRUTHS = ("y", "Y", "n", "N")  # text to PyYAML, but not to every reader of YAML 1.1


class _Representer(RoundTripRepresenter):
    """Quotes what PyYAML, which reads YAML 1.1, would take for something else than text."""

    def represent_str(self, data: str) -> ScalarNode:
        tag = yaml.SafeLoader("").resolve(yaml.ScalarNode, data, (True, False))
        if tag == TEXT and data not in SHORT_TRUTHS:
            return super().represent_str(data)
        return self.represent_scalar(TEXT, data, style="'")


_Representer.add_representer(str, _Representer.represent_str)


def write_card(path: Path, card: dict[str, Any]) -> None:
    """Write a card; of one that is there, only what differs is touched.

    Args:
        path: The file.
        card: All that it is to hold.
    """
    reader, writer = YAML(), YAML()
    reader.version = (1, 1)  # as PyYAML will read it
    for dialect in (reader, writer):
        dialect.preserve_quotes = True
    writer.Representer = _Representer
    writer.width = WIDTH
    writer.indent(mapping=2, sequence=4, offset=2)
    content = reader.load(path) if path.is_file() else None
    content = content or CommentedMap()
    for key in [key for key in content if key not in card]:
        del content[key]
    for key, value in card.items():
        if key not in content or content[key] != value:
            content[key] = value
    with replacing(path) as partial:
        writer.dump(content, partial)
