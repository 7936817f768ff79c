"""The formats: one file for each family."""
