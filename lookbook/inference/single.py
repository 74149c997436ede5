"""An exported model for one picture at a time."""

from ai_edge_litert import schema_py_generated as schema

ANY = -1  # a size that is open, in a shape's signature


def with_batch_of_one(model: bytes) -> bytes:
    """Return a LiteRT file for one picture at a time, which is what browsers' runtime takes.

    Each open size becomes 1, in place; nothing else changes.
    """
    content = bytearray(model)
    for graph in _graphs(schema.Model.GetRootAs(content, 0)):
        for place in range(graph.TensorsLength()):
            tensor = graph.Tensors(place)
            if tensor.ShapeSignatureLength():
                sizes = tensor.ShapeSignatureAsNumpy()  # a view of the file's bytes
                sizes[sizes == ANY] = 1
    return bytes(content)


def _graphs(model: schema.Model) -> list[schema.SubGraph]:
    return [model.Subgraphs(place) for place in range(model.SubgraphsLength())]
