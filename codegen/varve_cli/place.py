"""Where this copy of varve is: an installed one, or the source tree."""

from pathlib import Path

CODEGEN = Path(__file__).resolve().parent.parent
SCHEMA = CODEGEN.parent / "schema"  # has varve/options.proto
PLUGIN = CODEGEN / "protoc-gen-varve"

_CONFIG = "cmake/varve/varveConfig.cmake"
# CMake looks in these without being told.
_SYSTEM = (Path("/usr"), Path("/usr/local"))


def prefix():
    """The prefix of the installation that this is a part of; None in a source tree."""
    for folder in CODEGEN.parents:
        for pattern in (f"lib/{_CONFIG}", f"lib64/{_CONFIG}", f"lib/*/{_CONFIG}"):
            if next(folder.glob(pattern), None):
                return folder
    return None


def is_found_by_cmake(folder):
    return folder in _SYSTEM


def build_of_source_tree():
    """The build folder that a project can use, of the presets that have no sanitizers; None: no such."""
    folders = (CODEGEN.parent / "build" / preset for preset in ("release", "dev"))
    return next((folder for folder in folders if (folder / "varveConfig.cmake").is_file()), None)
