"""Telemetry: OTLP in; windows, detection, anomalies and evidence out."""
