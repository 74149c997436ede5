"""What models are worth: predictions, scores, significance, mistakes, charts.

In come models and splits; out come predictions as Parquet, figures with intervals, verdicts and
galleries. `reporting` lays them out on a page.
"""
