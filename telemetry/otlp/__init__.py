"""OTLP receiver: bytes from any OpenTelemetry exporter to the state, over HTTP and gRPC.

`receiver` takes requests, `app` brings them by HTTP and `grpc_server` by gRPC.
"""

from telemetry.otlp.app import OtlpHttp, create_receiver
from telemetry.otlp.receiver import Receiver, ReceiverLimits

__all__ = ["OtlpHttp", "Receiver", "ReceiverLimits", "create_receiver"]
