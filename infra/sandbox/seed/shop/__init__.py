"""What all services of the shop share."""
