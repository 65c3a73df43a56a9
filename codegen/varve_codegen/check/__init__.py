"""Stage 3: everything that the language cannot do is refused here, all errors of a run together."""

from varve_codegen.check import cache, columns, files, names, queries, sql, tables, tensors
from varve_codegen.check.context import Context


def check(schema, options, errors):
    """Adds an error for each rule that the files to generate break."""
    context = Context(schema, options, errors)
    files.check(context)
    names.check(context)
    tables.check(context)
    columns.check(context)
    tensors.check(context)
    cache.check(context)
    queries.check(context)
    sql.check(context)
