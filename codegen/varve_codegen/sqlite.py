"""SQLite through its own C functions, for what Python's module does not tell: which column of which table
a result's column is, what a statement reads and writes, its program."""

import ctypes
import ctypes.util
import sys
import time
from dataclasses import dataclass

from varve_codegen.errors import InputError

OK, ERROR, INTERRUPT, TOOBIG, CONSTRAINT, ROW, DONE = 0, 1, 9, 18, 19, 100, 101
CONSTRAINT_DATATYPE = 3091
INTEGER, FLOAT, TEXT, BLOB, NULL = 1, 2, 3, 4, 5

_NAMES = ("libsqlite3.so.0", "libsqlite3.so", "libsqlite3.dylib", "sqlite3.dll")
_TRANSIENT = ctypes.c_void_p(-1)
_PROGRESS_STEPS = 10000  # of SQLite's machine between two looks at the clock
_AUTHORIZER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, *[ctypes.c_char_p] * 4)
_PROGRESS = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
_DENY = 1

_library = None


class Failure(Exception):
    """What SQLite says; `code` is the extended one."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Column:
    """A column of a result. `table` and `origin` are None where it is an expression."""

    name: str
    table: str
    origin: str


def _load():
    global _library
    if _library is None:
        _library = _find()
        texts = ("errmsg", "bind_parameter_name", "column_name", "column_table_name", "column_origin_name")
        for name in texts:
            getattr(_library, f"sqlite3_{name}").restype = ctypes.c_char_p
        _library.sqlite3_column_int64.restype = ctypes.c_int64
        _library.sqlite3_column_double.restype = ctypes.c_double
        _library.sqlite3_column_text.restype = ctypes.c_void_p
        _library.sqlite3_column_blob.restype = ctypes.c_void_p
    return _library


def _find():
    for name in (ctypes.util.find_library("sqlite3"), *_NAMES):
        try:
            library = ctypes.CDLL(name) if name else None
        except OSError:
            continue
        if hasattr(library, "sqlite3_column_origin_name"):
            return library
    raise InputError(
        "protoc-gen-varve: error: queries are tried on SQLite, and there is no library of it that "
        f"tells the columns' origins for {sys.executable}; install libsqlite3-0 (a build with "
        "SQLITE_ENABLE_COLUMN_METADATA)"
    )


def _text(value):
    return value.decode("utf-8", "replace") if value is not None else None


class Database:
    """A database in memory."""

    def __init__(self):
        self._sqlite = _load()
        self._handle = ctypes.c_void_p()
        self._callbacks = []  # SQLite keeps their addresses
        self._end = None
        code = self._sqlite.sqlite3_open(b":memory:", ctypes.byref(self._handle))
        if code != OK:
            raise Failure(code, "no memory")
        self._sqlite.sqlite3_extended_result_codes(self._handle, 1)
        watch = _PROGRESS(lambda _: int(self._end is not None and time.process_time() > self._end))
        self._callbacks.append(watch)
        self._sqlite.sqlite3_progress_handler(self._handle, _PROGRESS_STEPS, watch, None)

    def close(self):
        self._sqlite.sqlite3_close_v2(self._handle)

    def fail(self, code):
        raise Failure(code, _text(self._sqlite.sqlite3_errmsg(self._handle)))

    def execute(self, sql):
        code = self._sqlite.sqlite3_exec(self._handle, sql.encode(), None, None, None)
        if code != OK:
            self.fail(code)

    def end_at(self, moment):
        """Statements that run when this process has used so many seconds, as time.process_time() counts them,
        fail with INTERRUPT; None: none does."""
        self._end = moment

    def authorize(self, check):
        """Calls check(action, name, second) for all that statements are about to do while they are prepared;
        False refuses it. None: no check."""
        if check is None:
            self._sqlite.sqlite3_set_authorizer(self._handle, None, None)
            return
        ask = _AUTHORIZER(lambda _, action, a, b, *rest: OK if check(action, _text(a), _text(b)) else _DENY)
        self._callbacks.append(ask)
        self._sqlite.sqlite3_set_authorizer(self._handle, ask, None)

    def prepare(self, sql):
        return Statement(self, self._sqlite, self._handle, sql)

    def rows(self, sql):
        statement = self.prepare(sql)
        try:
            return list(statement.run(()))
        finally:
            statement.close()


class Statement:
    def __init__(self, database, sqlite, handle, sql):
        self._database, self._sqlite = database, sqlite
        self._handle = ctypes.c_void_p()
        text = ctypes.create_string_buffer(sql.encode())
        tail = ctypes.c_char_p()
        code = sqlite.sqlite3_prepare_v2(handle, text, -1, ctypes.byref(self._handle), ctypes.byref(tail))
        if code != OK:
            database.fail(code)
        self.is_empty = not self._handle
        self.tail = _text(tail.value)
        count = sqlite.sqlite3_bind_parameter_count(self._handle)
        self.parameters = [_text(sqlite.sqlite3_bind_parameter_name(self._handle, i + 1)) for i in range(count)]
        self.columns = [
            Column(
                _text(sqlite.sqlite3_column_name(self._handle, i)),
                _text(sqlite.sqlite3_column_table_name(self._handle, i)),
                _text(sqlite.sqlite3_column_origin_name(self._handle, i)),
            )
            for i in range(sqlite.sqlite3_column_count(self._handle))
        ]
        self.is_readonly = bool(sqlite.sqlite3_stmt_readonly(self._handle))

    def close(self):
        self._sqlite.sqlite3_finalize(self._handle)

    def run(self, values):
        """Yields each row, a list of (type, value)."""
        for i, value in enumerate(values, 1):
            self._bind(i, value)
        try:
            while True:
                code = self._sqlite.sqlite3_step(self._handle)
                if code == DONE:
                    return
                if code != ROW:
                    self._database.fail(code)
                yield [self._value(i) for i in range(len(self.columns))]
        finally:
            self._sqlite.sqlite3_reset(self._handle)

    def _bind(self, i, value):
        sqlite, handle = self._sqlite, self._handle
        if value is None:
            sqlite.sqlite3_bind_null(handle, i)
        elif isinstance(value, float):
            sqlite.sqlite3_bind_double(handle, i, ctypes.c_double(value))
        elif isinstance(value, int):
            sqlite.sqlite3_bind_int64(handle, i, ctypes.c_int64(value))
        elif isinstance(value, str):
            data = value.encode()
            sqlite.sqlite3_bind_text(handle, i, data, len(data), _TRANSIENT)
        else:
            sqlite.sqlite3_bind_blob(handle, i, value, len(value), _TRANSIENT)

    def _value(self, i):
        sqlite, handle = self._sqlite, self._handle
        kind = sqlite.sqlite3_column_type(handle, i)
        if kind == INTEGER:
            return kind, sqlite.sqlite3_column_int64(handle, i)
        if kind == FLOAT:
            return kind, sqlite.sqlite3_column_double(handle, i)
        if kind == NULL:
            return kind, None
        read = sqlite.sqlite3_column_text if kind == TEXT else sqlite.sqlite3_column_blob
        at = read(handle, i)
        data = ctypes.string_at(at, sqlite.sqlite3_column_bytes(handle, i)) if at else b""
        return kind, data.decode("utf-8", "replace") if kind == TEXT else data
