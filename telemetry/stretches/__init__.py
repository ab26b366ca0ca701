"""Stretches of recorded telemetry: read from files into profiles and points, and compared as evidence."""
