"""All of it, arranged and written down."""
