"""Typed remedies: each turns into edits of files that keep everything else as it was."""
