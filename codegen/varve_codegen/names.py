"""How names of the schema become names in C: the naming table of the documentation as code."""

import re

_WORD_START = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])")
_RUN = re.compile(r"_+")
_C_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")


def snake(name):
    """HTTPServer: http_server. EEGChannel2: eeg_channel2. LFPTrace3D: lfp_trace3d. foo__bar: foo_bar."""
    return _RUN.sub("_", _WORD_START.sub("_", name)).lower()


def package_prefix(package):
    """acme.lab.v1: acme_lab_v1."""
    return "_".join(snake(part) for part in package.split("."))


def is_c_name(text):
    """Whether a c_name option is usable: lower-case words joined by single underscores."""
    return _C_NAME.match(text) is not None


def output_stem(proto):
    """cortex/episode.proto: cortex/episode."""
    return proto[: -len(".proto")] if proto.endswith(".proto") else proto


def include_guard(header):
    """cortex/episode.varve.h: CORTEX_EPISODE_VARVE_H."""
    guard = _RUN.sub("_", re.sub(r"[^A-Za-z0-9]", "_", header)).strip("_").upper()
    # A digit begins no identifier, and VARVE_.. are the guards of the runtime's own headers.
    return f"GENERATED_{guard}" if guard[0].isdigit() or guard.startswith("VARVE_") else guard


def umbrella_stem(package, protos):
    """The package's own pair of files: in the deepest folder that all its files share."""
    folders = [proto.split("/")[:-1] for proto in protos]
    shared = []
    for parts in zip(*folders):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return "/".join(shared + [package_prefix(package)])
