"""Bot: the I/O shell, with settings, wiring, web service, worker, adapters and CLI."""
