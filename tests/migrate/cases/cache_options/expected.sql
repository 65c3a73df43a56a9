-- lab.Plain: field 2 (revision) no longer counts the record's updates.
-- SQLite cannot alter this in place: the table plain is written anew.
CREATE TABLE "varve_new_plain" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "revision" INTEGER NOT NULL DEFAULT 0,
  "varve_unknown" BLOB
) STRICT;
INSERT INTO "varve_new_plain" ("id", "revision", "varve_unknown")
  SELECT "id", "revision", "varve_unknown"
  FROM "plain" ORDER BY "id";
SELECT varve_assert((SELECT count(*) FROM "varve_new_plain") = (SELECT count(*) FROM "plain"),
  'lab.Plain: not every record of the table plain was taken over; nothing is changed');
DELETE FROM sqlite_sequence WHERE name = 'varve_new_plain';
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'varve_new_plain', seq FROM sqlite_sequence WHERE name = 'plain';
DROP TABLE "plain";
ALTER TABLE "varve_new_plain" RENAME TO "plain";

-- lab.Spike: hash_tag of the cache is region now, and was the default.
-- lab.Spike: index_by of the cache is seen now, and was at.
-- lab.Note: mode of the cache is ONLY now, and was the default.
-- lab.Plain: it is cached now.
