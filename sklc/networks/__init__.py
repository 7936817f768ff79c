"""Networks in torch: knows light curves, knows nothing of scikit-learn estimators."""
