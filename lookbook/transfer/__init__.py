"""Transfer learning: pretrained bases, their features of the pictures, and the two steps.

In come the name of a base and the splits; out come features that are kept in the user's cache, a
head trained on them, and a base whose last blocks were trained too.
"""
