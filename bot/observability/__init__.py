"""Own observability: traces and metrics of SRE-Space itself. Off, and without cost, until they have somewhere to go."""
