"""Published encoders of others as scikit-learn transformers of light curves, to compare with.

None of their weights come with `sklc`: they are read from a file of the user's, or downloaded.
`docs/external.md` says which models there are, where their files come from, and under which terms.
"""

from sklc.external.astromer import Astromer1
from sklc.external.embedding import EmbeddingModel
from sklc.external.tensor_bundle import read_tensor_bundle

__all__ = ["Astromer1", "EmbeddingModel", "read_tensor_bundle"]
