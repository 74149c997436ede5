"""Products of matrices, the same to the bit on every processor where that is promised.

How many threads share a product of two matrices depends on the size of the processor's caches, and
where they divide it, on their number, with other last bits. Several products at once go to a thread
each. So a product is made of `PARTS`; where a machine only has to agree with itself, there is one,
which is faster.
"""

import tensorflow as tf

from lookbook.foundation.arithmetic import EVERYWHERE, of_networks

PARTS = 8
SMALL = 128  # rows and columns


def product(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return the product of matrices (n, k) and (k, m), from parts of k."""
    if of_networks() != EVERYWHERE:
        return tf.matmul(a, b)
    missing = -a.shape[-1] % PARTS
    a, b = tf.pad(a, [[0, 0], [0, missing]]), tf.pad(b, [[0, missing], [0, 0]])
    size = b.shape[0] // PARTS
    parts = tf.transpose(tf.reshape(a, (-1, PARTS, size)), (1, 0, 2))
    products = tf.matmul(parts, tf.reshape(b, (PARTS, size, b.shape[1])))
    return tf.reduce_sum(products, axis=0)


def product_by_rows(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return the same from parts of n, which must be known, in less time where n is large.

    A product of small matrices is never shared.
    """
    if of_networks() != EVERYWHERE or max(*a.shape, b.shape[1]) <= SMALL:
        return tf.matmul(a, b)
    products = tf.matmul(_in_parts(a), tf.tile(b[tf.newaxis], (PARTS, 1, 1)))
    return tf.reshape(products, (-1, b.shape[1]))[: a.shape[0]]


def squares(a: tf.Tensor) -> tf.Tensor:
    """Return the products (k, k) of the columns of a matrix (n, k) with each other."""
    if of_networks() != EVERYWHERE:
        return tf.matmul(a, a, transpose_a=True)
    parts = _in_parts(a)
    return tf.reduce_sum(tf.matmul(parts, parts, transpose_a=True), axis=0)


def _in_parts(a: tf.Tensor) -> tf.Tensor:
    """Return a matrix's rows, and some of zeros, in `PARTS` matrices."""
    padded = tf.pad(a, [[0, -a.shape[0] % PARTS], [0, 0]])
    return tf.reshape(padded, (PARTS, -1, a.shape[1]))
