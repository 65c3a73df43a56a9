"""Stage 4: the model becomes files. Templates look things up and nothing more."""

import json
import os

import jinja2

from varve_codegen import ddl, lock, names, state
from varve_codegen.render import archive, cache, layout, queries
from varve_codegen.render.queries import QueryView
from varve_codegen.render.views import EnumView, MessageView, MigrationView

ABI = 6

_TEMPLATES = os.path.join(os.path.dirname(__file__), "..", "..", "templates")


class Renderer:
    def __init__(self, schema, descriptor_set, migrations=()):
        self._schema = schema
        self._descriptor_set = descriptor_set  # a function of file names
        self._migrations = migrations  # of the one package, where it has some
        self._states = {}
        self._environment = _environment()

    def file(self, file):
        """(name, content) of the pair that one .proto makes."""
        return self._pair(names.output_stem(file.name), file, None, ())

    def package(self, package, files, umbrella):
        """(name, content) of the pair that a package makes, with a file of the same path of both, of its SQL
        when it has tables, and of its layout when it has cached messages or tensors."""
        same = next((f for f in files if names.output_stem(f.name) == umbrella), None)
        yield from self._pair(umbrella, same, package, files)
        stored = self._state(package)
        tables = [(m.name, ddl.statements(stored, m)) for m in ddl.in_order(stored)]
        if tables:
            yield f"{umbrella}.sql", self._render("package.sql.j2", {"package": package, "tables": tables})
        described = _layout_json(package, [self._schema.messages[n] for f in files for n in f.messages])
        if described:
            yield f"{umbrella}.layout.json", described

    def _state(self, package):
        if package not in self._states:
            self._states[package] = state.capture(self._schema, package)
        return self._states[package]

    def _pair(self, stem, file, package, files):
        enums = [EnumView(self._schema.enums[n]) for n in file.enums] if file else []
        messages = [self._message(file, n) for n in file.messages] if file else []
        header = f"{stem}.varve.h"
        context = {
            "abi": ABI,
            "banner": file.name if file else f"package {package}",
            "header": header,
            "guard": names.include_guard(header),
            "file": file,
            "file_doc": layout.comment(file.comment) if file and file.comment else [],
            "includes": self._type_headers(file) if file else [],
            "source_includes": self._reference_headers(file) if file else [],
            "enums": enums,
            "messages": messages,
            "queries": [
                QueryView(self._schema, file.package, service, method)
                for service in (file.services if file else ())
                for method in service.methods
                if method.sql is not None
            ],
            "streamed": queries.streamed(self._schema, file) if file else [],
            "package": self._package(package, files, header) if package else None,
        }
        text = self._render("header.h.j2", {**context, "formatted": True})
        if layout.is_too_wide(text):
            text = self._render("header.h.j2", {**context, "formatted": False})
        yield header, text
        yield f"{stem}.varve.c", self._render("source.c.j2", context)

    def _message(self, file, name):
        return MessageView(self._schema, self._schema.messages[name], self._state(file.package))

    def _render(self, template, context):
        return self._environment.get_template(template).render(context)

    def _package(self, package, files, header):
        records = [
            self._schema.messages[name]
            for file in files
            for name in file.messages
            if not self._schema.messages[name].is_map_entry
        ]
        protos = [f.name for f in files]
        methods = [m for f in files for s in f.services for m in s.methods if m.sql is not None]
        return {
            "name": package,
            "prefix": names.package_prefix(package),
            "headers": sorted({_header(p) for p in protos} - {header}),
            "records": layout.numbers([f"&{m.c}_record" for m in records]),
            "record_count": len(records),
            "queries": layout.numbers([f"&{m.c}_query" for m in methods]),
            "query_count": len(methods),
            "lock": ["    " + layout.quoted(line) + "," for line in lock.lines(self._state(package))],
            "migrations": [MigrationView(m) for m in self._migrations],
            "descriptor_set": layout.byte_rows(self._descriptor_set(protos)),
        }

    def _type_headers(self, file):
        """Headers of the files whose types this file's structs use."""
        used = set()
        for name in file.messages:
            for field in self._schema.messages[name].fields:
                target = self._schema.messages.get(field.target) or self._schema.enums.get(field.target)
                if target is not None:
                    used.add(target.file)
        used.update(m.file for m in queries.messages(self._schema, file))
        return sorted(_header(f) for f in used - {file.name})

    def _reference_headers(self, file):
        used = set()
        for name in file.messages:
            message = self._schema.messages[name]
            for field in message.fields:
                if field.column.references and message.table is not None:
                    used.add(self._schema.resolve_reference(message, field.column.references)[0].file)
        used.update(m.file for m in queries.written(self._schema, file))
        headers = {_header(f) for f in used - {file.name}}
        return sorted(headers - set(self._type_headers(file)))


def _layout_json(package, messages):
    """Where programs in other languages find what is stored; None where nothing but tables has it."""
    parts = {"cache": cache.described(messages), "archive": archive.described(messages)}
    if not any(parts.values()):
        return None
    banner = f"by protoc-gen-varve from package {package}. DO NOT EDIT."
    found = {"generated": banner, "package": package, **{k: v for k, v in parts.items() if v is not None}}
    return json.dumps(found, indent=2) + "\n"


def _header(proto):
    return names.output_stem(proto) + ".varve.h"


def _bytecode_cache():
    """Keeps compiled templates beside them, as Python keeps its modules: compiling takes longer than
    rendering a small file. Jinja2 checks that the source and the versions are the same."""
    folder = os.path.join(_TEMPLATES, "__pycache__")
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        return None
    return jinja2.FileSystemBytecodeCache(folder) if os.access(folder, os.W_OK) else None


def _environment():
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
        auto_reload=False,
        bytecode_cache=_bytecode_cache(),
    )
    environment.globals.update(
        head=lambda result, name, *parameters: "\n".join(layout.head(result, name, parameters)),
        call=lambda start, function, *arguments: "\n".join(layout.call(start, function, arguments)),
        declared=layout.declared,
        doc=lambda *text: "\n".join(layout.comment("\n".join(text))),
    )
    environment.filters["quoted"] = layout.quoted
    return environment
