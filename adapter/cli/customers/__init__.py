"""`sticky-calls customers`: what is stored of a person; all of them in and out."""
