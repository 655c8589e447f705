"""Power (检验力): how large an effect would have to be for this design to see it, printed beside every estimate."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..errors import MethodError
from .did import simple_att
from .panel import Panel
from .randomisation import only, randomise

# A two-sided test at 5 % has 80 % power at 1.96 + 0.84 standard errors.
FACTOR = 2.8


def mde(panel: Panel, *, draws: int = 399, seed: int = 0) -> pd.DataFrame:
    """Minimum detectable effect of each cohort, with the period before as base and with all periods before.

    The standard deviation is that of the estimate under re-drawn treatment, so that it holds for two counties as for twenty.

    Returns
    -------
    DataFrame
        ``group``, ``units``, ``controls``, ``base`` (``varying`` or ``all_pre``), ``sd``, ``mde``; missing where the cohort has no
        untreated unit beside it.
    """
    rows = []
    for g in panel.cohorts:
        if g == 0:
            continue
        units, controls = int(panel.members(g).sum()), int(np.isinf(panel.first).sum())
        for base in ("varying", "all_pre"):
            sd = float("nan")
            if controls:
                sd = randomise(_effectless(panel, g), cohort=g, base=base, draws=draws, seed=seed).sd
            rows.append(
                {
                    "group": panel.times[g],
                    "units": units,
                    "controls": controls,
                    "base": base,
                    "sd": sd,
                    "mde": FACTOR * sd,
                }
            )
    return pd.DataFrame(rows, columns=["group", "units", "controls", "base", "sd", "mde"])


def _effectless(panel: Panel, cohort: int) -> Panel:
    """The panel with the cohort's mean change taken out, so that an effect does not pass for noise."""
    treated = panel.members(cohort)
    effect = simple_att(only(panel, cohort), base="all_pre")
    outcome = panel.outcome.copy()
    outcome[np.ix_(treated, np.arange(cohort, outcome.shape[1]))] -= effect
    return Panel(outcome, panel.units, panel.times, panel.first, panel.covariates)


def pretrend_power(panel: Panel, cohort: int, *, draws: int = 399, seed: int = 0) -> float:
    """Slope before treatment (per period, treated less controls) that the pre-period would show with 80 % power.

    Raises
    ------
    MethodError
        Fewer than three periods before treatment.
    """
    if cohort < 3:
        raise MethodError("实施前不足三期，看不出前趋势", value=cohort)
    alone = only(panel, cohort)
    before = alone.outcome[:, :cohort]
    time = np.arange(cohort) - (cohort - 1) / 2
    slopes = (before @ time) / (time @ time)
    treated = alone.first == cohort
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(draws):
        mixed = random.permutation(treated)
        drawn.append(slopes[mixed].mean() - slopes[~mixed].mean())
    return FACTOR * float(np.std(drawn, ddof=1))
