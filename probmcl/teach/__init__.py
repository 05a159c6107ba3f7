"""Evidence becomes pages."""
