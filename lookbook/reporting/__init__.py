"""The page that people read: words, figures, charts and pictures of a run, laid out.

In come figures and predictions that `evaluation` made, and the splits; out comes one HTML file, the
same bytes for the same run. Python computes what is shown; the templates lay it out.
"""
