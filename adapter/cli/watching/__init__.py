"""Calls as they are now and were: `tail`, `stats`."""
