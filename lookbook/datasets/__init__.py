"""What a data set is: its card, and the archives that its files may be.

In come data/cards/NAME.yaml and zip or tar files; out come checked cards and the members of
archives, read one by one and never unpacked to the disk.
"""
