"""The states that a loss of power may leave, made from a trace (trace.h): of a file only what was synced is sure to be
there, and of a folder's entries only those of before its last sync."""

import dataclasses
import pathlib
import random

SECTOR = 512  # what a disk writes whole or not at all


@dataclasses.dataclass(frozen=True)
class Entry:
    """A call that has changed a file or a name, brought it to disk, or is a mark."""

    call: str
    number: int
    path: str
    data: bytes


def read_trace(path: pathlib.Path) -> list[Entry]:
    entries = []
    with open(path, "rb") as file:
        while line := file.readline():
            call, number, size, name = line.decode().rstrip("\n").split(" ", 3)
            entries.append(Entry(call, int(number), name, file.read(int(size))))
    return entries


def _apply(content: bytearray, entry: Entry) -> None:
    if entry.call == "truncate":
        del content[entry.number:]
        content.extend(bytes(entry.number - len(content)))
        return
    content.extend(bytes(max(0, entry.number - len(content))))
    content[entry.number:entry.number + len(entry.data)] = entry.data


def _torn(entry: Entry, pick: random.Random) -> Entry:
    """A write of which only the beginning has arrived, up to some sector of the file."""
    end = entry.number + len(entry.data)
    cuts = [*range((entry.number // SECTOR + 1) * SECTOR, end, SECTOR), end]
    return dataclasses.replace(entry, data=entry.data[:pick.choice(cuts) - entry.number])


class _File:
    """What is on disk of a file, and what was written since."""

    def __init__(self, content: bytes = b""):
        self.synced = bytearray(content)
        self.pending = []

    def sync(self) -> None:
        for entry in self.pending:
            _apply(self.synced, entry)
        self.pending.clear()

    def after_loss(self, pick) -> bytes:
        """With those of the pending writes that `pick` takes."""
        content = bytearray(self.synced)
        for entry in self.pending:
            if pick():
                _apply(content, entry)
        return bytes(content)

    def after_torn_loss(self, pick: random.Random) -> bytes:
        """With each of the pending writes, without it, or with its beginning."""
        content = bytearray(self.synced)
        for entry in self.pending:
            fate = pick.randrange(3)
            if fate > 0:
                _apply(content, _torn(entry, pick) if fate == 1 and entry.data else entry)
        return bytes(content)


class Disk:
    """A folder while the calls of a trace are made. Names are paths; what memory shares (-shm) is no file of it."""

    def __init__(self, folder: pathlib.Path):
        self.root = str(folder)
        files = [path for path in folder.rglob("*") if path.is_file()]
        self.names = {str(path): _File(path.read_bytes()) for path in files if not path.name.endswith("-shm")}
        self.names.update({str(path): None for path in folder.rglob("*") if path.is_dir()})
        self.sure = dict(self.names)
        self.late = {}  # by folder, what was done to its names since its last sync: lists of (old name, new name, file)

    def add_empty(self, path: pathlib.Path) -> None:
        """A file that others have made before the trace."""
        self.names[str(path)] = self.sure[str(path)] = _File()

    def do(self, entry: Entry) -> None:
        """Makes the next call."""
        file = self.names.get(entry.path)
        if not entry.path.startswith(self.root) or entry.path.endswith("-shm"):
            return
        if entry.call in ("make", "mkdir", "rename", "unlink"):
            self._change_name(entry)
        elif entry.call == "sync" and file is None:
            self._sync_folder(entry.path)
        elif entry.call == "sync":
            file.sync()
        else:
            file.pending.append(entry)

    def _change_name(self, entry: Entry) -> None:
        if entry.call in ("make", "mkdir"):
            self.names[entry.path] = _File() if entry.call == "make" else None
        elif entry.call == "rename":
            self.names[entry.data.decode()] = self.names.pop(entry.path)
        else:
            del self.names[entry.path]
        new = {"rename": entry.data.decode(), "unlink": None}.get(entry.call, entry.path)
        change = (entry.path, new, self.names[new] if new else None)
        self.late.setdefault(entry.path.rpartition("/")[0], []).append(change)

    def _sync_folder(self, folder: str) -> None:
        self.late.pop(folder, None)
        for path in self.names.keys() | self.sure.keys():
            if path.rpartition("/")[0] != folder:
                continue
            if path in self.names:
                self.sure[path] = self.names[path]
            else:
                del self.sure[path]

    def after_loss(self, names_are_late: bool, pick: random.Random | None) -> dict[str, bytes | None]:
        """What is found when power comes back, by paths within the folder; a folder is None. Names are as the folders
        were synced, or as they were last; of what was written since a sync `pick` takes some, else nothing is left."""
        take = (lambda: pick.random() < 0.5) if pick else (lambda: False)
        return self._found(self.sure if names_are_late else self.names, lambda file: file.after_loss(take))

    def after_torn_loss(self, pick: random.Random) -> dict[str, bytes | None]:
        """The same, where of each folder some changes of its names have arrived, in their order, and of each file some
        writes, in part too."""
        names = dict(self.sure)
        for changes in self.late.values():
            for old, new, file in changes[:pick.randint(0, len(changes))]:
                names.pop(old, None)
                if new:
                    names[new] = file
        return self._found(names, lambda file: file.after_torn_loss(pick))

    def _found(self, names: dict, content) -> dict[str, bytes | None]:
        found = {}
        for path, file in sorted(names.items()):
            inner = path[len(self.root) + 1:]
            parents = [f"{self.root}/{parent}" for parent in pathlib.PurePath(inner).parents[:-1]]
            if all(parent in names for parent in parents):
                found[inner] = content(file) if file else None
        return found


def put(folder: pathlib.Path, state: dict[str, bytes | None]) -> None:
    """Makes a folder with what after_loss() has found."""
    folder.mkdir()
    for path, content in state.items():
        if content is None:
            (folder / path).mkdir()
        else:
            (folder / path).write_bytes(content)
