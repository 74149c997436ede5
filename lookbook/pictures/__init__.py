"""One picture: from the bytes of its file, or a row of a table, to pixels of a given shape.

In come batches of encoded files or of pixels (`batch.Batch`) and the form that they are brought to;
out come uint8 pixels, ids, sizes and grey likenesses, or the reason why a picture has none. The
same whole numbers on every machine.
"""
