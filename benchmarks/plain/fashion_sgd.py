"""The source's linear classifier on Fashion-MNIST."""

from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import cross_validate

from data import load

x, y = load("train")
x = x.reshape(len(x), -1) / 255
classifier = SGDClassifier(loss="log_loss", max_iter=5, random_state=42)
scores = cross_validate(classifier, x, y, cv=5, n_jobs=-1)["test_score"]
print(f"accuracy: {scores.mean():.4f}")
