"""Migrations: what changed between two states of a schema, the SQL that follows, and the proof of it."""
