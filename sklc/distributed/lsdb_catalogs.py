"""Catalogues of LSDB: predictions by partition, and the model stamped into what is written."""

from __future__ import annotations

from typing import Any

from sklc.distributed.predictor import Predictor
from sklc.distributed.stamp import NAME, Stamp

try:
    from hats.io import file_io
    from lsdb.catalog import Catalog
except ImportError:  # this module is used only where a catalogue of LSDB was passed
    Catalog = object

__all__ = ["PredictedCatalog", "predicted_catalog"]

_FILE = f"_{NAME}.json"  # readers of Parquet skip names that begin like this
_COMPRESSION = {"compression": "ZSTD", "compression_level": 3}


class PredictedCatalog(Catalog):
    """A catalogue of predictions, which knows the model that makes them.

    It is a catalogue of LSDB in every respect; `write_catalog` also writes what the predictions
    were made with, and resumes only with the same.
    """

    @property
    def _key(self) -> str:
        """What dask calls the computation: another for other rows of the same catalogue."""
        return str(getattr(self._operation, "key_name", ""))

    def write_catalog(
        self,
        base_catalog_path: Any,
        *,
        catalog_name: str | None = None,
        as_collection: bool = True,
        overwrite: bool = False,
        resume: bool = False,
        **kwargs: Any,
    ) -> None:
        """Write the catalogue as ``lsdb.catalog.Catalog.write_catalog`` does.

        Parameters
        ----------
        base_catalog_path : path
            The folder to write.
        catalog_name, as_collection, overwrite, **kwargs
            As in LSDB.
        resume : bool, default=False
            Whether to keep the partitions that an interrupted call has written. A catalogue that is
            complete stays as it is.

        Raises
        ------
        WeightsError
            If the partitions that are there were made with another model or other settings.
        """
        stamp = Stamp(getattr(self.hc_structure.catalog_info, NAME)).also(catalog=self._key)
        base = file_io.get_upath(base_catalog_path)
        folder = base / (catalog_name or self.hc_structure.catalog_name) if as_collection else base
        begun = file_io.directory_has_contents(folder)
        if begun and overwrite and not resume:
            file_io.remove_directory(folder)
        elif begun and resume and not overwrite:
            mark = folder / _FILE
            found = mark.read_text() if mark.exists() else None
            stamp.require(found, folder)
            places = [folder / "hats.properties"]
            places += [base / "collection.properties"] * as_collection
            if found == stamp.text and all(place.exists() for place in places):
                return
        elif begun or (overwrite and resume):  # which LSDB refuses
            super().write_catalog(
                base_catalog_path, catalog_name=catalog_name, as_collection=as_collection,
                overwrite=overwrite, resume=resume, **kwargs,
            )  # fmt: skip
            return
        # Level 15, as in LSDB, saves hardly any space here, and takes as long as the prediction.
        kwargs["write_table_kwargs"] = _COMPRESSION | (kwargs.get("write_table_kwargs") or {})
        file_io.make_directory(folder, exist_ok=True)
        (folder / _FILE).write_text(stamp.text)
        super().write_catalog(  # a folder with a stamp alone is one in which nothing is done yet
            base_catalog_path, catalog_name=catalog_name, as_collection=as_collection, resume=True,
            **kwargs,
        )  # fmt: skip


def predicted_catalog(catalog: Any, predictor: Predictor) -> PredictedCatalog:
    """Return the catalogue of predictions, which are computed when they are asked for."""
    info = catalog.hc_structure.catalog_info
    place = [name for name in (info.ra_column, info.dec_column) if name is not None]
    meta = predictor.meta(catalog.meta, place)
    stamp = Stamp.of(predictor)
    made = catalog.map_partitions(predictor, place, meta=meta)
    structure = made.hc_structure
    structure.catalog_info = structure.catalog_info.copy_and_update(**{NAME: stamp.text})
    made.__class__ = PredictedCatalog
    return made
