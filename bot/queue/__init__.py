"""The queue: wake-ups for the worker. Losing all of them loses no work, the sweeper finds it in the database."""
