"""An image becomes a feature, a feature becomes a mixture."""
