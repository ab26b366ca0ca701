"""Action: the companion GitHub Action."""
