"""People's own sets: which files there are, what was accepted, and how the two differ.

In come folders, archives and addresses of the user's; out come a card, a list of files with their
hashes, and sentences on what has changed since it was accepted.
"""
