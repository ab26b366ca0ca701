"""What the container image is made and checked with."""
