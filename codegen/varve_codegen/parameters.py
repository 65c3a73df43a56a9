"""What a run is asked for, as protoc passes it on: --varve_opt=emit=file,package=cortex.

    emit=all       (default) a pair of files for each .proto, and one with .sql and .layout.json for each package
    emit=file      only the pairs of the .proto files
    emit=package   only what is the package's; all of its files must be given
    package=NAME   the package that the build expects the files to be in
    umbrella=PATH  where the package's pair, .sql and .layout.json go, without their extensions
    migrations=DIR the package's migrations, which its .c carries; they must lead to the schema as it is
"""

from dataclasses import dataclass

from varve_codegen import names
from varve_codegen.errors import InputError

_EMIT = ("all", "file", "package")


@dataclass(frozen=True)
class Parameters:
    emit: str = "all"
    package: str = ""
    umbrella: str = ""
    migrations: str = ""

    def check(self, schema, errors):
        """The build system reads packages when it is configured; this notices that one has changed."""
        for file in schema.generated_files():
            if self.package and file.package and file.package != self.package:
                errors.add(
                    file.at,
                    f"the file is in package {file.package}, and the build was configured when it was in "
                    f"{self.package}; configure again (run cmake on the build folder)",
                )

    def read_migrations(self, schema, errors):
        """Those that the package's .c carries, of a schema without errors."""
        if not self.migrations or self.emit == "file":
            return ()
        from varve_codegen.migrations import migrations  # most runs need none of it

        return migrations(self.migrations, schema, errors)

    def outputs(self, schema, renderer):
        """(name, content) of every file to write."""
        packages = {
            package: (files, self.umbrella or names.umbrella_stem(package, [f.name for f in files]))
            for package, files in schema.packages().items()
        }
        umbrellas = {stem for _, stem in packages.values()}
        if self.emit in ("all", "file"):
            for file in schema.generated_files():
                if names.output_stem(file.name) not in umbrellas or self.emit == "file":
                    yield from renderer.file(file)
        if self.emit in ("all", "package"):
            for package, (files, umbrella) in packages.items():
                yield from renderer.package(package, files, umbrella)


def parse(text):
    values = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        if name not in Parameters.__dataclass_fields__:
            raise InputError(
                f"protoc-gen-varve: error: unknown parameter {name}; --varve_opt takes "
                "emit, package, umbrella and migrations"
            )
        values[name] = value
    parameters = Parameters(**values)
    if parameters.emit not in _EMIT:
        raise InputError(
            f"protoc-gen-varve: error: emit={parameters.emit}; it is one of {', '.join(_EMIT)}"
        )
    return parameters
