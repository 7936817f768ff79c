"""Files of the forced-photometry service of ATLAS."""

import numpy as np
import pandas as pd
import pytest
from make_services import ATLAS_ROW, atlas

from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.io import read, read_atlas_forced, read_report


@pytest.mark.parametrize("separator", ["  ", ","])
@pytest.mark.parametrize("mark", ["###", "#", ""])
def test_microjansky(tmp_path, separator, mark):
    path = tmp_path / "job01088.txt"
    path.write_bytes(
        atlas({}, {"F": "c", "uJy": -80.5, "m": -19.1}, separator=separator, mark=mark)
    )
    curves = read(path, verbose=False)
    assert curves.flux.tolist() == [12.0, -80.5]
    assert curves.flux_err.tolist() == [20.0, 20.0]
    assert curves.time.tolist() == [59000.25, 59001.25]
    assert curves.zero_point == 23.9
    assert curves.band_names.tolist() == ["atlaso", "atlasc"]
    assert curves.ids.tolist() == ["job01088"]
    assert curves.metadata.iloc[0].to_dict() == {"ra": 150.1, "dec": 2.25}


BAD = [{"err": 1}, {"duJy": 4001}, {"chi/N": 101}, {"x": 99}, {"y": 10461}, {"mag5sig": 16.9},
       {"Sky": 16.9}]  # fmt: skip


def test_quality():
    content = atlas({}, *BAD)
    assert read_atlas_forced(content).time.tolist() == [59000.25]
    assert read_atlas_forced(content, quality="all").lengths.tolist() == [1 + len(BAD)]
    chosen = read_atlas_forced(content, quality=lambda table: table["err"] > 0)
    assert chosen.time.tolist() == [59001.25]


def test_rows_without_a_flux_are_left_out_whatever_the_quality():
    content = atlas({}, {"uJy": "nan"}, {"duJy": 0})
    assert read_atlas_forced(content, quality="all").lengths.tolist() == [1]


def test_which_flux_it_is_taken_for_is_reported():
    faint, bright = atlas({}, {}), atlas({"uJy": 5000}, {"uJy": 5100})
    assert any("taken as difference flux" in note for note in read_report(faint).notes)
    assert any('pass flux="total"' in note for note in read_report(bright).notes)
    total = read_report(bright, flux="total")
    assert total.notes == ()
    np.testing.assert_array_equal(total.curves.flux, [5000, 5100])


def test_tables_of_atclean(tmp_path):
    columns = "MJD uJy duJy F RA Dec ObsID Mask"
    rows = {"o": ["59000.1 10 5 o 1 2 a 0", "59001.1 90 5 o 1 2 b 2"],
            "c": ["59000.2 20 5 c 1 2 c 0", "59001.2 90 5 c 1 2 d 8388608"]}  # fmt: skip
    paths = []
    for name, lines in rows.items():
        paths.append(tmp_path / f"2019vxm.{name}.lc.txt")
        paths[-1].write_text("\n".join([columns, *lines]) + "\n")
    curves = read(paths, verbose=False)
    assert curves.ids.tolist() == ["2019vxm"]
    assert curves.flux.tolist() == [10, 20]
    binned = tmp_path / "2019vxm.o.1.00days.lc.txt"
    binned.write_text("MJD uJy duJy Mask\n59000.1 10 5 0\n")
    averaged = read_atlas_forced(binned)
    assert (averaged.ids.tolist(), averaged.band_names.tolist()) == (["2019vxm"], ["atlaso"])


def test_tables_of_the_own_pages_of_atlas(tmp_path):
    path = tmp_path / "ATLAS20x.csv"
    path.write_text(
        "#expname,ra,dec,mag,dm,filter,mjd,x,y,chin,apfit,uJy,duJy,mag5sig,texp\n"
        "02a59000o0300o,150.1,2.25,18.1,0.1,o,59000.25,5000,5000,1.1,-.4,210.5,19.5,19.6,30\n"
        "02a59001o0300c,150.1,2.25,18.1,0.1,c,59001.25,5000,5000,101,-.4,210.5,19.5,19.6,30\n"
    )
    curves = read(path, verbose=False)
    assert (curves.flux.tolist(), curves.band_names.tolist()) == ([210.5], ["atlaso"])
    assert curves.metadata["ra"].tolist() == [150.1]


def test_tables_in_memory():
    table = pd.DataFrame([ATLAS_ROW, {**ATLAS_ROW, "MJD": 59001.25}]).rename(
        columns={"MJD": "###MJD"}
    )
    assert read(table, verbose=False).lengths.tolist() == [2]
    table["name"] = ["a", "b"]
    assert read_atlas_forced(table, object_id="name").ids.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (atlas({}, {}).rsplit(b"  ", 1)[0] + b"\n", "line 3 has fewer values"),
        (atlas({}, {"uJy": "1O.5"}), "'1O.5' in line 3"),
        (atlas({}, {"uJy": "10 5"}), "line 3"),
        (atlas(), "no rows"),
    ],
)
def test_damaged_files_are_named_with_the_line(tmp_path, content, message):
    path = tmp_path / "job.txt"
    path.write_bytes(content)
    with pytest.raises(LightCurveError, match=message) as error:
        read(path, verbose=False)
    assert str(path) in str(error.value)


def test_wrong_options_and_filters():
    with pytest.raises(LightCurveError, match="flux must be"):
        read_atlas_forced(atlas({}), flux="reduced")
    with pytest.raises(UnknownPassbandError, match="'q'"):
        read_atlas_forced(atlas({"F": "q"}))
    with pytest.raises(LightCurveError, match="'F'"):
        read_atlas_forced(b"MJD uJy duJy\n59000.1 10 5\n")
