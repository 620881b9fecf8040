"""`sticky-calls simulate`: a telephone in the terminal."""
