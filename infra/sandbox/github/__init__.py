"""A GitHub stand-in over a real bare git repository, for running the whole loop on one machine."""
