"""Objects of a file that cannot be read are set aside if they are collected, and only then."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklc import LightCurveError, LightCurves
from sklc.io.photometry import Photometry
from sklc.io.unreadable import collect_unreadable


def photometry(flux_err):
    """One object for each list of errors, with its observations in between those of others."""
    rows = [
        (number, k, error)
        for number, errors in enumerate(flux_err)
        for k, error in enumerate(errors)
    ]
    table = pd.DataFrame(rows, columns=["object_id", "k", "flux_err"])
    table = table.sort_values(["k", "object_id"], kind="stable", ignore_index=True)
    return Photometry(
        object_id=2**60 + table["object_id"],
        time=59000.0 + table["k"],
        flux=pd.Series(10.0 + np.arange(len(table))),
        flux_err=table["flux_err"],
        band=pd.Series(["ztfg"] * len(table)),
        metadata=pd.DataFrame(
            {"redshift": 0.1 * np.arange(len(flux_err))}, index=2**60 + np.arange(len(flux_err))
        ),
    )


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.sampled_from([1.0, 2.0, -1.0]), min_size=1, max_size=3), min_size=1))
def test_the_readable_objects_are_as_they_would_be_alone(flux_err):
    bad = [number for number, errors in enumerate(flux_err) if -1.0 in errors]
    made = photometry(flux_err)
    if bad:
        with pytest.raises(LightCurveError, match="flux_err is not positive"):
            made.light_curves("night.csv")
    with collect_unreadable() as found:
        if len(bad) == len(flux_err):
            with pytest.raises(LightCurveError, match="flux_err is not positive"):
                made.light_curves("night.csv")
            return
        curves = made.light_curves("night.csv")
    good = [number for number in range(len(flux_err)) if number not in bad]
    assert curves.ids.tolist() == [2**60 + number for number in good]
    assert curves.metadata["redshift"].tolist() == [0.1 * number for number in good]
    assert [one.object_id for one in found] == [2**60 + number for number in bad]
    before = [[g for g in good if g < number] for number in bad]
    assert [one.after for one in found] == [2**60 + g[-1] if g else None for g in before]
    rows = [np.array(made.object_id == 2**60 + number) for number in good]
    for curve, own in zip(curves, rows, strict=True):
        assert curve.flux.tolist() == made.flux[own].tolist()


def test_a_file_in_which_most_objects_are_bad_is_an_error():
    flux_err = [[-1.0]] * 101 + [[1.0]] * 200
    with (
        collect_unreadable() as found,
        pytest.raises(LightCurveError, match="of 101 object"),
    ):
        photometry(flux_err).light_curves("night.csv")
    assert found == []
    with collect_unreadable() as found:
        assert len(photometry(flux_err[1:]).light_curves("night.csv")) == 200
    assert len(found) == 100


def test_an_error_of_no_single_object_remains(monkeypatch):
    made = photometry([[1.0], [2.0]])
    whole = LightCurves.from_frame

    def refuse(table, **options):
        if len(table["mjd"]) == 2:
            raise LightCurveError("two are too many")
        return whole(table, **options)

    monkeypatch.setattr(LightCurves, "from_frame", refuse)
    with collect_unreadable() as found, pytest.raises(LightCurveError, match="two are too many"):
        made.light_curves("night.csv")
    assert found == []
