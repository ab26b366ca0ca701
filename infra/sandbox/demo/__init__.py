"""Demo: the whole loop on one machine, with real processes and a fault that is really there."""
