"""Training: datasets, batches, checkpoints, and the one place that fits a skorch net."""
