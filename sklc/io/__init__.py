"""Light curves from the files and tables of surveys, brokers and archives."""

from sklc.io.batches import read_batches
from sklc.io.formats.aavso import read_aavso
from sklc.io.formats.asassn import read_asassn
from sklc.io.formats.astropy_table import read_astropy_table
from sklc.io.formats.gaia import read_gaia
from sklc.io.formats.hats import read_hats
from sklc.io.formats.lightkurve import read_lightkurve
from sklc.io.formats.long_table import read_long_table
from sklc.io.formats.sklc_parquet import read_sklc_parquet
from sklc.io.formats.space import read_kepler, read_tess
from sklc.io.formats.text_table import read_sousa, read_text
from sklc.io.photometry import Photometry, Rows
from sklc.io.reading import Report, list_formats, read, read_report
from sklc.io.registry import Format, recognise, register_format
from sklc.io.source import Source

__all__ = [
    "Format",
    "Photometry",
    "Report",
    "Rows",
    "Source",
    "list_formats",
    "read",
    "read_aavso",
    "read_asassn",
    "read_astropy_table",
    "read_batches",
    "read_gaia",
    "read_hats",
    "read_kepler",
    "read_lightkurve",
    "read_long_table",
    "read_report",
    "read_sklc_parquet",
    "read_sousa",
    "read_tess",
    "read_text",
    "recognise",
    "register_format",
]
