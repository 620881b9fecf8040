"""`sticky-calls demo`: a caller's story against a real server."""
