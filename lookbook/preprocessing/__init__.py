"""From readers to splits: which picture goes where, decoded on all cores, examined.

In comes a `readers.Reading` with the parameters; out come the splits on disk, their scaling, what
was left out and why, and what an audit found: twins, leaks, blank pictures, sizes.
"""
