"""SQL of the schema (check, where) is prepared by SQLite itself, on the table's own DDL."""

import re
import sqlite3

from varve_codegen import ddl, state
from varve_codegen.check.context import is_scalar_column


def check(context):
    """Runs after all other checks, when the tables can be made."""
    for message in context.messages():
        if message.table is None:
            continue
        fields = [f for f in message.fields if f.column.check and is_scalar_column(f)]
        indexes = [i for i in message.table.indexes if i.where]
        if fields or indexes:
            _check_message(context, message, fields, indexes)


def _check_message(context, message, fields, indexes):
    for field in fields:
        constraint = f", CHECK ({field.column.check})"
        problem = _problem(context, message, [field], constraint, field.column.check)
        if problem:
            context.option_error(field.at, "column", "check", f"{field.name}: check is no SQL condition: {problem}")
    for index in indexes:
        columns = ", ".join(ddl.quote(name) for name in index.fields)
        statement = f"CREATE INDEX probe ON {ddl.quote(message.table_name)} ({columns}) WHERE {index.where}"
        problem = _problem(context, message, message.fields, "", index.where, statement)
        if problem:
            context.option_error(
                message.at, "table", "index", f"where of the index over {', '.join(index.fields)} is no SQL "
                f"condition: {problem}"
            )


def _problem(context, message, fields, constraint, expression, statement=""):
    """What SQLite says of the expression over these fields, "" when it is fine."""
    code = re.sub(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", "''", expression)
    if "--" in code or "/*" in code:
        return f'"{expression}" has a comment; remove it'
    if not sqlite3.complete_statement(f"SELECT ({expression}\n);") or _unbalanced(expression):
        return f'"{expression}" does not end where it should; balance quotes and parentheses'
    columns = ", ".join(
        f"{ddl.quote(f.name)} {ddl.column_type(state.shape(context.schema, f))}" for f in fields if f.tensor is None
    )
    database = sqlite3.connect(":memory:")
    try:
        database.execute(
            f"CREATE TABLE {ddl.quote(message.table_name)} ({columns}{constraint})"
        )
        if statement:
            database.execute(statement)
    except (sqlite3.Error, sqlite3.Warning) as error:
        return f"SQLite says {error}; correct it"
    finally:
        database.close()
    return ""


def _unbalanced(expression):
    """Whether a parenthesis closes what the expression did not open, outside of quotes; or a semicolon
    stands there."""
    depth, quote = 0, ""
    for character in expression:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        elif character == ";":
            return True
        else:
            depth += {"(": 1, ")": -1}.get(character, 0)
            if depth < 0:
                return True
    return depth != 0 or bool(quote)
