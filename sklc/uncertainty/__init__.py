"""Ways to tell how sure a prediction is."""
