"""Bot: the I/O shell, with settings, composition, web service, worker, adapters and CLI."""
