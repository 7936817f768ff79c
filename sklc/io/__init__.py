"""Light curves from the files and tables of surveys, brokers and archives."""

from sklc.io.batches import read_batches
from sklc.io.formats.aavso import read_aavso
from sklc.io.formats.alerce import read_alerce
from sklc.io.formats.alerce_elasticc import read_alerce_elasticc
from sklc.io.formats.antares import read_antares
from sklc.io.formats.asassn import read_asassn
from sklc.io.formats.astropy_table import read_astropy_table
from sklc.io.formats.atlas_forced import read_atlas_forced
from sklc.io.formats.fink import read_fink
from sklc.io.formats.gaia import read_gaia
from sklc.io.formats.hats import read_hats
from sklc.io.formats.lasair import read_lasair
from sklc.io.formats.lightkurve import read_lightkurve
from sklc.io.formats.long_table import read_long_table
from sklc.io.formats.open_catalog import read_open_catalog
from sklc.io.formats.otter import read_otter
from sklc.io.formats.plasticc import read_elasticc, read_plasticc
from sklc.io.formats.rubin_alerts import read_rubin_alerts
from sklc.io.formats.rubin_tables import read_rubin_tables
from sklc.io.formats.sklc_parquet import read_sklc_parquet
from sklc.io.formats.snana import read_snana
from sklc.io.formats.sncosmo_text import read_sncosmo
from sklc.io.formats.space import read_kepler, read_tess
from sklc.io.formats.text_table import read_sousa, read_text
from sklc.io.formats.ztf_alerts import read_ztf_alerts
from sklc.io.formats.ztf_dr import read_ztf_dr
from sklc.io.formats.ztf_forced import read_ztf_forced
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
    "read_atlas_forced",
    "read_elasticc",
    "read_aavso",
    "read_asassn",
    "read_astropy_table",
    "read_batches",
    "read_gaia",
    "read_hats",
    "read_kepler",
    "read_lightkurve",
    "read_long_table",
    "read_open_catalog",
    "read_otter",
    "read_plasticc",
    "read_report",
    "read_rubin_alerts",
    "read_ztf_alerts",
    "read_rubin_tables",
    "read_snana",
    "read_sncosmo",
    "read_ztf_dr",
    "read_ztf_forced",
    "read_sklc_parquet",
    "read_sousa",
    "read_tess",
    "read_text",
    "recognise",
    "register_format",
]
