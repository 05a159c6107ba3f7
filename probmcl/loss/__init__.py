"""Labels and mixtures become one number."""
