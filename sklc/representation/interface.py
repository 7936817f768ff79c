"""The input of the networks: a configurable encoding of observations, stored with the weights."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from sklc.errors import LightCurveError
from sklc.light_curves.container import LightCurves
from sklc.light_curves.store import Store, describe
from sklc.representation.channels import CHANNELS, FOLD_CHANNELS, Shown
from sklc.representation.detections import significant
from sklc.representation.periods import check_fold, check_periods
from sklc.representation.settings import Settings

__all__ = ["PRESETS", "InputRepresentation"]

_FOLD = ("fold", "period_column", "min_period")
# Numbers that a network can multiply and add up without an overflow of float32.
_LARGEST = np.float32(1e30)


@dataclass(frozen=True)
class InputRepresentation(Settings):
    """Convert light curves to the numbers that a network reads, one row per observation.

    Every constant of the input convention is a field, so that a weights file, which stores this
    object, restores its own preprocessing. Presets are ``"relative"``, the default;
    ``"corroborated"``, the same for surveys of any length; ``"magnitude"``, for variable stars and
    other sources that are always there; and ``"papers"``, the plain input of Gupta et al. (2025).

    Parameters
    ----------
    channels : tuple of str
        Names from the table below, in the order in which the network reads them.
    zero_point : float
        AB zero point to which all fluxes are converted first, so that light curves of any zero
        point can be encoded.
    flux_scale : float
        Divisor of the channels ``flux`` and ``flux_err``.
    flux_softening : float
        Flux at which ``log_flux`` turns from logarithmic to linear (asinh magnitudes; Lupton,
        Gunn & Szalay 1999), so that negative forced photometry stays finite.
    time_scale : float
        Days per unit of ``time``, ``time_from_peak``.
    gap_scale, gap_limit : float
        ``gap`` is ``min(days since the previous observation, gap_limit) / gap_scale``.
    wavelength_center, wavelength_scale : float
        ``centered_wavelength`` is ``(wavelength - center) / scale``, in micrometre.
    min_snr : float
        Observations with ``abs(flux) < min_snr * flux_err`` are not shown to the network, so that
        alerts and forced photometry of one object look alike, and so that noise determines neither
        the start of a light curve nor its largest flux. All observations of an object are shown
        if none exceeds the limit, and observations of unknown error are always shown. With 0,
        everything is shown.
    corroboration : float
        Days within which an observation above `min_snr` must have a neighbour that confirms it: one
        of the same sign, also above `min_snr`, so that both together reach 5 sigma. The days are
        meant for the weaker of the two at `min_snr`, and grow with the square of its significance.
        Noise and outliers in years of forced photometry are then not shown. If nothing is
        confirmed, all observations above `min_snr` are shown. With 0, none needs to be confirmed.
    fold : {"period"} or None
        Whether the observations of an object are put in the order of their phases (Naul et al.
        2018), so that the network reads one cycle, from phase 0 at the brightest point. Periods are
        found as by `sklc.features.find_periods`. An object without one, such as one with fewer than
        eight observations, stays in the order of time, and its channels of the fold are 0. `folded`
        also adds these channels.
    period_column : str or None
        Metadata column with the period of each object in days, for `fold`. With None, periods are
        found, also where the light curves have a column ``period``.
    min_period : float
        The shortest period that is looked for, in days.

    Notes
    -----
    ======================  ==================================================================
    channel                 value of one observation
    ======================  ==================================================================
    wavelength              effective wavelength of its passband, micrometre
    centered_wavelength     the same, centred and scaled
    time                    days since the object's first observation / ``time_scale``
    time_fraction           the same scaled to 0-1 over the object's span (Paper I)
    time_from_peak          days since the object's largest flux / ``time_scale``
    gap                     days since its previous observation, limited and scaled
    flux, flux_err          divided by ``flux_scale``
    relative_flux(_err)     divided by the object's largest flux
    log_flux                asinh of the flux, in units of 10
    log_peak                the same of the object's largest flux
    magnitude_deviation     magnitude minus the object's weighted mean in the passband; asinh
                            magnitudes, which are finite for negative fluxes
    magnitude_err           error in magnitudes
    scaled_magnitude        the deviation divided by its root mean square over the object
    log_amplitude           log10 of that root mean square, in magnitudes
    mean_color              slope of the object's mean magnitudes with wavelength, in magnitudes
                            per ``wavelength_scale``; 0 for a single passband
    log_time_span           log10 of 1 + the days from its first observation to its last
    log_count               log10 of the number of its observations
    phase                   with `fold`: phase from 0 to 1, at the brightest point 0
    phase_gap               with `fold`: phase since the previous observation in this order
    log_period              with `fold`: log10 of the period in days
    period_power            with `fold`: share of the variance that a Fourier series explains
    ======================  ==================================================================

    Unknown errors (NaN) are encoded as 0, the value of a perfect measurement.

    A search for a period takes some milliseconds per object. Where light curves are encoded many
    times, as in a training with augmentation, find periods once and name their column:
    ``curves.with_metadata(period=find_periods(curves)["period"])``.

    References
    ----------
    Gupta, Muthukrishna, Rehemtulla & Shah 2025, MNRASL, slaf074 (Paper I);
    Gupta, Muthukrishna & Audenaert 2025, ML4Astro (Paper II);
    Naul, Bloom, Pérez & van der Walt 2018, Nature Astronomy 2, 151.

    Examples
    --------
    >>> from sklc.representation import InputRepresentation
    >>> InputRepresentation.preset("papers").channels
    ('wavelength', 'time', 'flux', 'flux_err')
    >>> InputRepresentation.preset("papers").time_scale
    1.0
    >>> mine = InputRepresentation(channels=("time", "relative_flux"), min_snr=0.0)
    >>> InputRepresentation.from_dict(mine.to_dict()) == mine
    True
    """

    def __post_init__(self) -> None:
        unknown = sorted(map(str, set(self.channels) - set(CHANNELS) - set(FOLD_CHANNELS)))
        if unknown or not self.channels:
            raise ValueError(
                f"Unknown input channels {unknown}: choose at least one of {sorted(CHANNELS)}, or "
                f"with fold='period' of {sorted(FOLD_CHANNELS)}."
            )
        check_fold(self, [name for name in self.channels if name in FOLD_CHANNELS])
        object.__setattr__(self, "channels", tuple(self.channels))
        super().__post_init__()

    def folded(self, period_column: str | None = None) -> InputRepresentation:
        """Return the same representation for light curves that are folded with their periods.

        Parameters
        ----------
        period_column : str or None, default=None
            Metadata column with the period of each object in days. With None, periods are found.

        Returns
        -------
        InputRepresentation
            With ``fold="period"``, and the channels ``phase``, ``phase_gap``, ``log_period`` and
            ``period_power`` added.

        Examples
        --------
        >>> from sklc import InputRepresentation
        >>> InputRepresentation(("time", "magnitude_deviation")).folded().channels
        ('time', 'magnitude_deviation', 'phase', 'phase_gap', 'log_period', 'period_power')
        """
        added = tuple(name for name in FOLD_CHANNELS if name not in self.channels)
        return replace(
            self, channels=self.channels + added, fold="period", period_column=period_column
        )

    @classmethod
    def preset(cls, name: str) -> InputRepresentation:
        """Return a representation by name.

        Parameters
        ----------
        name : {"relative", "corroborated", "magnitude", "papers"}
            The name of the preset.

        Returns
        -------
        InputRepresentation

        Raises
        ------
        ValueError
            If no preset has this name.
        """
        if name not in PRESETS:
            raise ValueError(
                f"representation={name!r} is not known: use one of {sorted(PRESETS)} "
                "or an InputRepresentation."
            )
        return PRESETS[name]

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> InputRepresentation:
        """Restore a representation from the result of `to_dict`.

        Parameters
        ----------
        values : dict
            The fields, as `to_dict` returns them.

        Returns
        -------
        InputRepresentation

        Raises
        ------
        ValueError
            If a field is not known.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"Input representation with unknown fields {unknown}.")
        return cls(**{**values, "channels": tuple(values["channels"])})

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data.

        Returns
        -------
        dict
            The fields as numbers, strings and lists, which JSON can represent.
        """
        values = {**asdict(self), "channels": list(self.channels)}
        # Only where there is a fold, so that older releases read the others.
        return values if self.fold is not None else {k: values[k] for k in values if k not in _FOLD}

    def encode(
        self, curves: LightCurves | Store, *, check: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """Encode every observation.

        Parameters
        ----------
        curves : LightCurves
            The light curves. Every object must have at least one observation; the container may be
            empty.
        check : bool, default=True
            Whether to `check` the light curves first. Those that were cut short on purpose may have
            a shorter time span than their period.

        Returns
        -------
        values : ndarray of shape (n_shown, n_channels), float32
            The observations that are shown (see `min_snr`), in the order of ``curves.time``, or
            with `fold` each object's in the order of their phases.
        lengths : ndarray of shape (n_objects,), int64
            The number of shown observations of each object; at least one.

        Raises
        ------
        LightCurveError
            If an object has no observations: a network has no output for it. With
            `period_column`, if a period is missing, or is not a number of days within the time span
            of the object.

        Examples
        --------
        >>> from sklc import InputRepresentation, LightCurves
        >>> curves = LightCurves.from_arrays([0.0, 3.0, 5.0], [1.0, 40.0, 20.0], [2.0, 2.0, 2.0],
        ...                                  "ztfg", offsets=[0, 3])
        >>> representation = InputRepresentation(("time", "flux"), time_scale=1.0, flux_scale=1.0)
        >>> representation.encode(curves)[0].tolist()  # the first observation is not shown
        [[0.0, 40.0], [2.0, 20.0]]
        """
        if check:
            self.check(curves)
        empty = np.flatnonzero(curves.lengths == 0)
        if len(empty):
            raise LightCurveError(
                f"{describe(curves.ids, empty[0])} has no observations to encode ({len(empty)} of "
                f"{len(curves.lengths)} objects are empty). Select the others: "
                "curves[curves.lengths >= 1]"
            )
        with np.errstate(over="ignore"):  # what overflows is limited below
            shown = Shown(self, curves)
        return self.encode_shown(shown), np.diff(shown.offsets)

    def encode_shown(self, shown: Shown) -> np.ndarray:
        """Encode the observations that are shown.

        Parameters
        ----------
        shown : Shown
            The observations.

        Returns
        -------
        ndarray of shape (n_shown, n_channels), float32
            In the order of the observations, or with `fold` each object's in the order of phases.

        Examples
        --------
        See `encode`, which uses it.
        """
        values = np.empty((len(shown.time), len(self.channels)), dtype=np.float32)
        with np.errstate(over="ignore"):  # what overflows is limited below
            for column, channel in enumerate(self.channels):
                values[:, column] = (CHANNELS | FOLD_CHANNELS)[channel](shown)
        if self.fold is not None:
            values = values[shown.fold.order]
        return np.clip(values, -_LARGEST, _LARGEST, out=values)

    def is_shown(self, curves: LightCurves | Store) -> np.ndarray:
        """Return which observations the network sees, by `min_snr` and `corroboration`.

        Parameters
        ----------
        curves : LightCurves
            Light curves.

        Returns
        -------
        ndarray of bool, shape (n_observations,)
            At least one of each object, if it has any.

        Examples
        --------
        >>> from sklc import InputRepresentation
        >>> from sklc.datasets import load_demo
        >>> curves = load_demo().curves[:1]
        >>> int(InputRepresentation.preset("relative").is_shown(curves).sum())
        111
        """
        flux_err = np.nan_to_num(np.asarray(curves.flux_err, dtype=np.float64), nan=0.0)
        return significant(np.asarray(curves.flux, dtype=np.float64), flux_err, curves, self)

    def check(self, curves: LightCurves | Store) -> None:
        """Check what the light curves must have beside their observations: periods, if any.

        Parameters
        ----------
        curves : LightCurves
            Light curves.

        Raises
        ------
        LightCurveError
            If a period in `period_column` is missing, or is not a number of days within the time
            span of the object.

        Examples
        --------
        >>> from sklc import InputRepresentation, LightCurves
        >>> curves = LightCurves.from_arrays([[0.0, 9.0]], [[1.0, 2.0]], [[0.1, 0.1]],
        ...                                  [["ztfg", "ztfr"]]).with_metadata(period=[4.2])
        >>> InputRepresentation.preset("magnitude").folded("period").check(curves)
        """
        if self.period_column is not None:
            check_periods(curves, self.period_column)

    def shown(self, curves: LightCurves) -> LightCurves:
        """Return the observations that the network sees, by `min_snr` and `corroboration`.

        Parameters
        ----------
        curves : LightCurves
            Light curves.

        Returns
        -------
        LightCurves
            All objects, each with at least one observation if it has any.

        Examples
        --------
        >>> from sklc import InputRepresentation
        >>> from sklc.datasets import load_demo
        >>> curves = load_demo().curves[:4]
        >>> curves.lengths, InputRepresentation.preset("corroborated").shown(curves).lengths
        (array([111,  18,  38,  86]), array([111,  18,  38,  86]))
        """
        store = curves._compact()
        return type(curves)._from_store(store.keep(self.is_shown(store)))


_RELATIVE = InputRepresentation(
    channels=(
        "centered_wavelength",
        "time",
        "gap",
        "relative_flux",
        "relative_flux_err",
        "log_flux",
        "log_peak",
    )
)

PRESETS: dict[str, InputRepresentation] = {
    "papers": InputRepresentation(
        channels=("wavelength", "time", "flux", "flux_err"), time_scale=1.0
    ),
    "relative": _RELATIVE,
    "corroborated": replace(_RELATIVE, corroboration=20.0),
    "magnitude": InputRepresentation(
        channels=(
            "magnitude_deviation",
            "magnitude_err",
            "centered_wavelength",
            "time",
            "mean_color",
            "log_amplitude",
            "log_time_span",
        ),
        min_snr=0.0,
    ),
}
