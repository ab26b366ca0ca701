"""The web process: takes webhooks in, and says whether it is well. Small on purpose: it must always answer."""
