"""Typed queries, tried on SQLite while the schema is checked: `statement` says what one reads, writes and
scans, `rows` makes tables to run it on, `types` compares what comes out with the fields it goes to."""
