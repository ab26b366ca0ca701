"""Every text that SRE-Space writes to GitHub."""
