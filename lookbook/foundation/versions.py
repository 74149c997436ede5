"""Which versions results depend on."""

VERSIONS = ["lookbook", "tensorflow", "keras", "scikit-learn", "numpy", "opencv-python-headless"]
