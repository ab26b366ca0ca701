"""Profiles: how the services of a stretch of time do their work, compared to normal stretches, as evidence."""
