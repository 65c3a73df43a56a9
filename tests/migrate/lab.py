"""A schema with every kind of field, and what tests of migrations do with it."""

import sqlite3
import sys
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "codegen"))

from varve_codegen import ddl, lock  # noqa: E402

LOCK = """\
message lab.Subject table=subject
field lab.Subject 1 id int64 key=1
field lab.Subject 2 name string unique
field lab.Subject 3 parent optional int64 references=lab.Subject#1 on_delete=SET_NULL
field lab.Subject 4 weight optional double min=0 max=500
field lab.Subject 5 mood enum lab.Mood
field lab.Subject 6 favourite optional int64 references=lab.Sample#1 on_delete=SET_NULL
field lab.Subject 7 version int64 version
message lab.Sample table=sample
field lab.Sample 1 id int64 key=1
field lab.Sample 2 title string check="length ( {2} ) < 100"
field lab.Sample 3 subject int64 references=lab.Subject#1 on_delete=CASCADE
field lab.Sample 4 place message lab.Place json
field lab.Sample 5 weights repeated float tensor=#7,2
field lab.Sample 6 image optional bytes tensor=#7,3 dtype=INT16
field lab.Sample 7 count uint32
field lab.Sample 8 counts map string int64
field lab.Sample 9 kind oneof what string
field lab.Sample 10 size oneof what int32 check="{10} % 7 = 0"
field lab.Sample 11 places repeated message lab.Place json
field lab.Sample 12 atlas map int32 message lab.Place
field lab.Sample 13 hash fixed64
field lab.Sample 14 ratio float max=0.1
field lab.Sample 15 tags repeated string
field lab.Sample 16 flags map bool double
field lab.Sample 17 done bool
field lab.Sample 18 data bytes
field lab.Sample 19 note optional string
field lab.Sample 20 big uint64
field lab.Sample 21 pair repeated double tensor=2 may_be_absent=yes
field lab.Sample 22 hashes repeated fixed64
field lab.Sample 23 exact double
field lab.Sample 24 single float
field lab.Sample 25 whole sint32
field lab.Sample 26 at int64 time=UNIX_NANOSECONDS
index lab.Sample 2,7 unique where="{7} > 0"
index lab.Sample 3
message lab.Link table=link
field lab.Link 1 a string key=1 references=lab.Subject#2
field lab.Link 2 b sint32 key=2
field lab.Link 3 c optional uint32 unique
message lab.Extra table=extra
field lab.Extra 1 id int64 key=1 references=lab.Sample#1 on_delete=CASCADE
message lab.Place
field lab.Place 1 x double
field lab.Place 2 label optional string
field lab.Place 3 inner message lab.Spot
field lab.Place 4 pixels repeated sint32 tensor=#5,2
field lab.Place 5 rows uint32
field lab.Place 6 either oneof pick bytes
field lab.Place 7 or oneof pick message lab.Spot
field lab.Place 8 spots map string message lab.Spot
field lab.Place 9 moods repeated enum lab.Mood
message lab.Spot
field lab.Spot 1 names repeated string
field lab.Spot 2 sizes map uint64 float
field lab.Spot 3 mood enum lab.Mood
value lab.Mood 0 MOOD_UNSPECIFIED
value lab.Mood 1 MOOD_GOOD
value lab.Mood 5 MOOD_BAD
"""


def state(text=LOCK):
    return lock.parse(text, "lab")


def create_sql(given):
    return ";\n".join(sql for message in ddl.in_order(given) for sql in ddl.statements(given, message)) + ";\n"


def database(given=None):
    """A database in memory, with the tables of a state."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    if given is not None:
        connection.executescript(create_sql(given))
    return connection


def migration(number, sql, **more):
    return SimpleNamespace(name=f"{number:04d}_step", sql=sql, **more)


def history(*steps):
    """(state, migration) out of (lock text, sql) of each version; the first one's sql is its tables'."""
    made = []
    for number, (text, sql) in enumerate(steps, 1):
        given = state(text)
        made.append((given, migration(number, create_sql(given) if sql is None else sql)))
    return made
