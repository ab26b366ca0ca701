"""Real faults for the sandbox: each is put in place by `inject` and taken away by `heal`."""
