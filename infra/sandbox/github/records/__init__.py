"""What the stand-in remembers, apart from what git holds."""
