"""Weights become evidence."""
