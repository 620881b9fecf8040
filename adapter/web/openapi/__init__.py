"""What the REST API is, for machines (`document`, of `operations`, `answers` and `examples`) and people (`docs`)."""
