"""Fakes of the agents' ports, shipped with the package so that every test uses the same ones."""
