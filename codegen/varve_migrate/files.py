"""Writing files of a folder: all of them or none."""

import os


def write_all(path, contents):
    """Writes each (path, text) into the folder; with OSError none. Files beside take the places of the old ones when all of them are on the disk."""
    work = [os.path.join(path, f".{os.path.basename(target)}.{os.getpid()}") for target, _ in contents]
    moved = []
    try:
        for name, (_, text) in zip(work, contents):
            with open(name, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        for name, (target, _) in zip(work, contents):
            is_new = not os.path.lexists(target)
            os.replace(name, target)
            if is_new:
                moved.append(target)
    except OSError:
        for name in [*work, *moved]:
            if os.path.lexists(name):
                os.unlink(name)
        raise
