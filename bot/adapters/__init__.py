"""Adapters: one folder for each port that the shell implements."""
