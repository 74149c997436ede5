"""The stages of the pipeline, one script each; `dvc repro` runs them."""
