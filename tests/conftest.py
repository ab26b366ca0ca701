"""Shared by all tests."""

import os

# Before anything imports gRPC: its handlers of fork() break the processes that tests start after it was used.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
