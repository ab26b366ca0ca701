"""The database: incidents, deliveries received, writes to send, events, audit and leases. This is the truth."""
