"""The steps from an empty file to this version's schema (Alembic). A step is never edited once released."""
