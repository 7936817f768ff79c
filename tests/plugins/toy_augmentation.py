"""An augmentation as somebody else would write it, in a file of their own."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from sklc import LightCurves


class Clouds(TransformerMixin, BaseEstimator):
    """Every object loses a random part of its light."""

    def __init__(self, largest=0.5, random_state=None):
        self.largest, self.random_state = largest, random_state

    def fit(self, X, y=None):
        self.n_objects_ = len(X)
        return self

    def transform(self, X):
        rng = np.random.default_rng(self.random_state)
        left = 1 - rng.uniform(0, self.largest, self.n_objects_).repeat(X.lengths)
        return LightCurves.from_arrays(
            X.time, X.flux * left, X.flux_err, X.band_names, offsets=X.offsets, ids=X.ids
        )
