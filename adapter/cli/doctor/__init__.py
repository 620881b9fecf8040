"""`sticky-calls doctor`: everything that can be wrong, by where it is looked for."""
