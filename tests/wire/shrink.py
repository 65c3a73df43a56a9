"""Smaller bytes that still show a difference."""

from wireforms import prefixed, split

_TRIES = 3000


def smallest(descriptor, data, shows):
    """Leaves out fields, at every level, and then single bytes, while `shows(data)` stays true."""
    return _Shrinker(shows).shrink(descriptor, data)


class _Shrinker:
    def __init__(self, shows):
        self._shows = shows
        self._tries = 0

    def _try(self, data):
        self._tries += 1
        return self._tries < _TRIES and self._shows(data)

    def shrink(self, descriptor, data):
        size = None
        while size != len(data) and self._tries < _TRIES:
            size = len(data)
            data = self._fields(descriptor, data, lambda inner: inner)
        return self._bytes(data) if len(data) < 60 else data

    def _fields(self, descriptor, data, wrap):
        """`wrap` makes the whole input of what is at this level."""
        pieces = split(data)
        if pieces is None:
            return data
        step = max(len(pieces) // 2, 1)
        while pieces:
            at = 0
            while at < len(pieces):
                without = pieces[:at] + pieces[at + step:]
                if self._try(wrap(_join(without))):
                    pieces = without
                else:
                    at += step
            if step == 1:
                break
            step //= 2
        for i, (number, body, raw) in enumerate(pieces):
            field = descriptor.fields_by_number.get(number)
            if body is None or field is None or field.message_type is None:
                continue
            before, behind = _join(pieces[:i]), _join(pieces[i + 1:])

            def wrap_one(inner, number=number, before=before, behind=behind):
                return wrap(before + prefixed(number, inner) + behind)

            if self._try(wrap_one(body)):
                body = self._fields(field.message_type, body, wrap_one)
                pieces[i] = (number, body, prefixed(number, body))
        return _join(pieces)

    def _bytes(self, data):
        at = 0
        while at < len(data):
            if self._try(data[:at] + data[at + 1:]):
                data = data[:at] + data[at + 1:]
            else:
                at += 1
        return data


def _join(pieces):
    return b"".join(raw for _, _, raw in pieces)
