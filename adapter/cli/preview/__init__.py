"""`sticky-calls preview`: what callers would hear, from the configuration alone."""
