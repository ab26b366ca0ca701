"""Agents: the incident, the eight agents, root-cause ranking, remedies and policy. No I/O."""
