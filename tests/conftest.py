"""Shared by all tests."""

import os

from hypothesis import settings

# Before anything imports gRPC: its handlers of fork() break the processes that tests start after it was used.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

# A deadline would be an assertion about time.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
