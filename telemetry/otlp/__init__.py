"""OTLP/HTTP receiver: bytes from any OpenTelemetry exporter to the state."""

from telemetry.otlp.app import ReceiverLimits, create_receiver, receiver_routes

__all__ = ["ReceiverLimits", "create_receiver", "receiver_routes"]
