"""`mode: chaos`: break something on purpose, and score how well it is found, explained, fixed and proven."""
