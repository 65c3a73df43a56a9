"""What templates look up of (varve.cache): the table of a message, and the keys of a package as data, for
programs in other languages."""

from varve_codegen import keys, spaces
from varve_codegen.render import layout

KEY_FORMAT = 1  # how values stand in a key: the rules of docs/tiers.md


class CacheView:
    def __init__(self, message, position):
        cache = message.cache
        parts = keys.parse(cache.key)
        self.template = cache.key
        self.key = layout.quoted(cache.key)
        self.parts = layout.table([_part_row(message, part, position) for part in parts])
        self.part_count = len(parts)
        self.space = f"0x{spaces.digits(message)}"
        self.mode = f"VARVE_CACHE_{spaces.mode(message)}"
        self.is_read_through = spaces.mode(message) == "READ_THROUGH"
        self.compression = f"VARVE_CACHE_{cache.compression}"
        above = cache.compress_above_bytes
        self.compress_above_bytes = -1 if above is None else above
        self.ttl_seconds = cache.ttl_seconds
        self.life = f"for {cache.ttl_seconds} seconds" if cache.ttl_seconds else "until it is deleted or evicted"
        self.index_by = message.field_named(cache.index_by).c if cache.index_by else ""
        self.index_field = f"&{message.short}_fields[{position[cache.index_by]}]" if cache.index_by else ""
        names = [message.field_named(name).c for name in keys.fields(parts)]
        self.key_fields = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
        self.has_many = len(names) > 1
        self.unloaded = "; tensors are not loaded" if self.is_read_through and message.tensors else ""
        # With a table these two are the table's own.
        self.has_next = bool(cache.index_by) and message.table is None
        self.has_free_many = message.table is None


def _part_row(message, part, position):
    return (
        f".before = {layout.quoted(part.before)}",
        f".field = &{message.short}_fields[{position[part.field]}]" if part.field else "",
        f".after = {layout.quoted(part.after)}",
        ".hash_tag = true" if part.field and part.field == message.cache.hash_tag else "",
    )


def described(messages):
    """The keys of these messages; None where none is cached."""
    cached = sorted((m for m in messages if m.cache is not None), key=lambda m: m.full_name)
    return {"key_format": KEY_FORMAT, "messages": [_message(m) for m in cached]} if cached else None


def _message(message):
    cache = message.cache
    beginning = spaces.beginning(message)
    return {
        "message": message.full_name,
        "key": cache.key,
        "mode": spaces.mode(message),
        "space": spaces.digits(message),
        "prefix": f"{beginning}:",
        "parts": [_part(message, part) for part in keys.parse(cache.key)],
        "ttl_seconds": cache.ttl_seconds or None,
        "compression": cache.compression,
        "compress_above_bytes": cache.compress_above_bytes,
        "index_by": cache.index_by or None,
        "index": _index(message, beginning),
    }


def _part(message, part):
    field = message.field_named(part.field) if part.field else None
    return {
        "before": part.before,
        "field": field.name if field else None,
        "number": field.number if field else None,
        "type": field.type if field else None,
        "after": part.after,
        "hash_tag": field is not None and field.name == message.cache.hash_tag,
    }


def _index(message, beginning):
    """The order by time. In READ_THROUGH it is the table's."""
    if not message.cache.index_by or spaces.mode(message) == "READ_THROUGH":
        return None
    return {"key": f"{beginning}%index", "times": f"{beginning}%index%times"}
