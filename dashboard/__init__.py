"""Dashboard: a read-only live page over the event stream."""
