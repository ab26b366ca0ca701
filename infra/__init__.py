"""Infra: the sandbox and deployment files."""
