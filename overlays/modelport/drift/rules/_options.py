"""What drift rules can be told."""

from __future__ import annotations

import msgspec

__all__ = ["RuleOptions"]


class RuleOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What to watch, how often, and from where on to alert. An alert with None as its limit is left out.

    Attributes:
        window: Traffic to look back on. One file per window can be loaded beside others: series carry ``window``.
        interval: How often the rules are evaluated.
        pending: How long a condition must hold before its alert fires.
        min_count: Serving values in the window below which no alert on a distribution fires.
        psi: Alert above this PSI, if it is also above noise.
        kl: Alert above this KL divergence in either direction, if PSI is above noise.
        ks: Alert above this KS distance, if it is also above noise.
        unseen: Alert when the share of values without a bin of their own is this far above that of training: of new
            categories, those too rare for a bin, and what is no number.
        missing: Alert when the rate of missing values is this far above that of training.
        by: Labels of targets to keep apart, such as ``("namespace",)``; by default replicas of all jobs are one.
        severity: Label of all alerts.
    """

    window: str = "1h"
    interval: str = "1m"
    pending: str = "5m"
    min_count: int = 200
    psi: float | None = 0.25
    kl: float | None = None
    ks: float | None = None
    unseen: float | None = 0.05
    missing: float | None = 0.1
    by: tuple[str, ...] = ()
    severity: str = "warning"
