"""The public entrance of the shop."""
