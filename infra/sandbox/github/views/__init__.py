"""Records as the JSON of GitHub's API."""
