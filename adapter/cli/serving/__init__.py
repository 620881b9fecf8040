"""`sticky-calls serve`: gunicorn, and what it does differently here."""
