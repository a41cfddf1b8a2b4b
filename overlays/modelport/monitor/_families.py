"""The metric families of monitors: names, types and what they mean. docs/prometheus.md lists them for users."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

__all__ = ["FAMILIES", "Family"]

Type: TypeAlias = Literal["counter", "gauge", "histogram", "gaugehistogram"]


class Family(msgspec.Struct, frozen=True):
    """One family.

    Attributes:
        name: Without the suffix of its samples.
        type: As OpenMetrics has it.
        documentation: One line.
    """

    name: str
    type: Type
    documentation: str


FAMILIES = {
    family.name: family
    for family in (
        Family("modelport_predictions", "counter", "Predictions taken from the queue."),
        Family("modelport_predictions_dropped", "counter", "Predictions lost, by reason and sink."),
        Family(
            "modelport_predictions_uncounted", "counter", "Predictions that were no row of the baseline's features."
        ),
        Family(
            "modelport_predictions_incomplete",
            "counter",
            "Predictions shipped without their segments or attributions, which had no form.",
        ),
        Family("modelport_prediction_queue_records", "gauge", "Predictions in the queue."),
        Family("modelport_monitor_start_time_seconds", "gauge", "When counting began, in Unix time."),
        Family(
            "modelport_processes_shared", "gauge", "1 while the processes of one directory can share what they count."
        ),
        Family("modelport_sink_delivered", "counter", "Predictions delivered."),
        Family("modelport_sink_failures", "counter", "Failed attempts to deliver."),
        Family("modelport_spool_failures", "counter", "Writes to the spool that the disk refused."),
        Family("modelport_sink_pending_records", "gauge", "Predictions kept until the sink takes them."),
        Family("modelport_feature_value", "histogram", "Numeric values served."),
        Family("modelport_feature_bin", "counter", "Values served, per bin."),
        Family("modelport_feature_missing", "counter", "Values served that are missing."),
        Family("modelport_feature_unseen", "counter", "Values served that the baseline does not know."),
        # Of the training data: gauges, since they never grow and increase() over them would be 0.
        Family("modelport_baseline_value", "gaugehistogram", "Numeric training values."),
        Family("modelport_baseline_bin", "gauge", "Training values, per bin."),
        Family("modelport_baseline_missing", "gauge", "Training values that are missing."),
        # Of the drift window.
        Family("modelport_feature_psi", "gauge", "PSI of the drift window against training."),
        Family("modelport_feature_psi_noise", "gauge", "The PSI that noise alone stays below."),
        Family("modelport_feature_kl_divergence", "gauge", "KL divergence of serving from training, in nats."),
        Family("modelport_feature_kl_reverse_divergence", "gauge", "KL divergence of training from serving, in nats."),
        Family("modelport_feature_js_divergence", "gauge", "Jensen-Shannon divergence, in nats."),
        Family("modelport_feature_ks_distance", "gauge", "Kolmogorov-Smirnov distance on the bins' edges."),
        Family("modelport_feature_wasserstein_distance", "gauge", "Wasserstein distance, in the feature's unit."),
        Family("modelport_feature_unseen_share", "gauge", "Share of the values that the baseline does not know."),
        Family("modelport_feature_missing_rate", "gauge", "Share of the predictions whose value is missing."),
        Family("modelport_feature_window_values", "gauge", "Values in the drift window."),
    )
}
