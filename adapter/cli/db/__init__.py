"""`sticky-calls db`: looking after the database."""
