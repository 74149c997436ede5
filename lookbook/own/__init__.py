"""People's own sets, kept as versioned data: scanned, examined, grouped, shared out, packed.

In come folders, archives, lists and addresses; out come packs of photos that only grow, a list that
says each one's class, group and split, a card, and sentences on what was found, is new or is gone.
"""
