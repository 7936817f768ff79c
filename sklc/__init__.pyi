from . import augment as augment
from . import baselines as baselines
from . import datasets as datasets
from . import errors as errors
from . import features as features
from . import inspection as inspection
from . import light_curves as light_curves
from . import passbands as passbands
from . import serving as serving
from . import simulate as simulate

__version__: str

from .errors import CheckpointError as CheckpointError
from .errors import LightCurveError as LightCurveError
from .errors import LightCurveWarning as LightCurveWarning
from .errors import PerformanceWarning as PerformanceWarning
from .errors import SimulationError as SimulationError
from .errors import UnknownPassbandError as UnknownPassbandError
from .errors import UnknownWeightsError as UnknownWeightsError
from .errors import WeightsError as WeightsError
from .estimators import LatentIsolationForest as LatentIsolationForest
from .estimators import LightCurveEncoder as LightCurveEncoder
from .estimators import RedshiftRegressor as RedshiftRegressor
from .estimators import TransferClassifier as TransferClassifier
from .features import LightCurveFeatures as LightCurveFeatures
from .light_curves import LightCurve as LightCurve
from .light_curves import LightCurves as LightCurves
from .light_curves import as_light_curves as as_light_curves
from .light_curves import concatenate as concatenate
from .light_curves import register_reader as register_reader
from .light_curves import stream as stream
from .passbands import Passband as Passband
from .passbands import get_passband as get_passband
from .passbands import list_passbands as list_passbands
from .passbands import register_passband as register_passband
from .representation import InputRepresentation as InputRepresentation
from .weights import list_weights as list_weights
