"""Light curves from the files and tables of surveys, brokers and archives."""

from sklc.io.formats.alerce import read_alerce
from sklc.io.formats.alerce_elasticc import read_alerce_elasticc
from sklc.io.formats.antares import read_antares
from sklc.io.formats.fink import read_fink
from sklc.io.formats.lasair import read_lasair
from sklc.io.formats.long_table import read_long_table
from sklc.io.formats.rubin_alerts import read_rubin_alerts
from sklc.io.formats.ztf_alerts import read_ztf_alerts
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
    "read_lasair",
    "read_fink",
    "read_antares",
    "read_alerce_elasticc",
    "read_alerce",
    "read_long_table",
    "read_report",
    "read_rubin_alerts",
    "read_ztf_alerts",
    "recognise",
    "register_format",
]
