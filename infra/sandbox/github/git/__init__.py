"""The bare repository, reached by git's plumbing commands."""
