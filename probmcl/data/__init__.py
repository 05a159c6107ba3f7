"""Images and labels come in."""
