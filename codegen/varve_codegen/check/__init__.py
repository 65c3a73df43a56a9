"""Stage 3: everything that the language cannot do is refused here, all errors of a run together."""

from varve_codegen.check import cache, columns, files, names, queries, sql, tables, tensors
from varve_codegen.check.context import Context


def check(schema, options, errors):
    """Adds an error for each rule that the files to generate break. Queries are tried on SQLite when there is
    no other error."""
    context = Context(schema, options, errors)
    files.check(context)
    names.check(context)
    tables.check(context)
    columns.check(context)
    tensors.check(context)
    cache.check(context)
    queries.check(context)
    sql.check(context)
    if not errors and _has_queries(schema):
        from varve_codegen.query import check as statements  # most runs need none of it

        statements.check(context)


def _has_queries(schema):
    return any(m.sql is not None for f in schema.generated_files() for s in f.services for m in s.methods)
