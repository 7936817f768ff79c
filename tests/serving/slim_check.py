"""Run exported models in an environment without the packages that training needs.

Usage: python slim_check.py FOLDER [BLOCKED ...], with what `test_slim.py` writes into the folder.
"""

import sys
from pathlib import Path


class Blocked:
    """Refuses to import packages, as if they were not installed."""

    def __init__(self, names):
        self.names = set(names)

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def main(folder, blocked):
    sys.meta_path.insert(0, Blocked(blocked))
    import numpy as np
    import pandas as pd

    from sklc import LightCurves
    from sklc.errors import LightCurveError
    from sklc.light_curves import unusable
    from sklc.serving import OnnxModel

    stored = np.load(folder / "curves.npz", allow_pickle=False)
    table = pd.DataFrame(
        {name: stored[name] for name in ("object_id", "mjd", "band", "flux", "flux_err")}
    )
    offsets = np.append(0, np.cumsum(table.groupby("object_id", sort=False).size().to_numpy()))
    arrays = [table[name].to_numpy() for name in ("mjd", "flux", "flux_err", "band")]
    tables = [own.reset_index(drop=True) for _, own in table.groupby("object_id", sort=False)]
    categories = table.astype({"band": "category", "object_id": "category"})
    forms = {
        "arrays": LightCurves.from_arrays(*arrays, offsets=offsets),
        "frame": LightCurves.from_frame(table),
        "categories": LightCurves.from_frame(categories),
        "unsorted": LightCurves.from_frame(table.iloc[::-1]),
        "tables": [own.drop(columns="object_id") for own in tables],
        "mappings": [own.drop(columns="object_id").to_dict("list") for own in tables],
        "groups": table.groupby("object_id", sort=False),
    }
    for path in sorted(folder.glob("*.onnx")):
        model, expected = OnnxModel(path), stored[path.stem]
        for name, X in forms.items():
            found = model.predict_proba(X)
            found = found[::-1] if name == "unsorted" else found
            np.testing.assert_allclose(found, expected, atol=2e-5, err_msg=f"{path.stem}, {name}")
        bad = [*forms["tables"], forms["tables"][0].iloc[:0]]
        assert unusable(bad).index.tolist() == [len(bad) - 1]
        assert np.isnan(model.predict_proba(bad, on_error="nan")[-1]).all()
        message = ""
        try:
            model.predict(bad)
        except LightCurveError as error:
            message = str(error)
        assert "0 observation" in message, message
    magnitudes = pd.DataFrame({"object_id": 1, "mjd": [1.0, 2.0], "mag": [18.0, 19.0],
                               "mag_err": 0.1, "band": "ztfr"})  # fmt: skip
    assert LightCurves.from_magnitudes(magnitudes).lengths.tolist() == [2]
    assert not set(blocked) & {name.partition(".")[0] for name in sys.modules}
    print("the same probabilities as where the models were exported")


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]), sys.argv[2:])
