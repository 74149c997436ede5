"""What every room stands on: errors as sentences, whole files, parameters, places, threads.

In come paths, YAML and exceptions; out come checked parameters, files that are whole or absent, and
sentences for people. It knows nothing of pictures or models, and imports nothing of Lookbook.
"""
