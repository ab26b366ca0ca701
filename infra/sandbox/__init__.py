"""Sandbox: a GitHub stand-in, sample services, load and a deployer, for a loop without an account."""
