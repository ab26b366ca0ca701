"""The services of the shop."""
