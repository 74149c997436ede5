"""What models are worth: predictions, scores, significance, mistakes, charts, the page.

In come models and splits; out come predictions as Parquet, figures with intervals, verdicts,
galleries and one HTML page.
"""
