"""Follows the default branch of the managed repository and runs what is on it, as Flux or Argo would."""
