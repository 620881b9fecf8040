"""Recorded calls: `import`, `record`, `replay`, `what-if`, `fixture`."""
