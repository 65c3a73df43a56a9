-- lab.Node: field 1 is renamed from id to key.
-- lab.Node: field 2 is renamed from parent to up.
ALTER TABLE "node" RENAME COLUMN "id" TO "key";
ALTER TABLE "node" RENAME COLUMN "parent" TO "up";

-- lab.Node: field 3 (rank) is double now, and was int32.
-- SQLite cannot alter this in place: the table node is written anew.
CREATE TABLE "varve_new_node" (
  "key" INTEGER PRIMARY KEY AUTOINCREMENT,
  "up" INTEGER REFERENCES "node" ("key") ON DELETE CASCADE,
  "rank" REAL NOT NULL DEFAULT 0,
  "varve_unknown" BLOB
) STRICT;
INSERT INTO "varve_new_node" ("key", "up", "rank", "varve_unknown")
  SELECT "key", "up", CAST("rank" AS REAL), "varve_unknown"
  FROM "node" ORDER BY "key";
SELECT varve_assert((SELECT count(*) FROM "varve_new_node") = (SELECT count(*) FROM "node"),
  'lab.Node: not every record of the table node was taken over; nothing is changed');
DELETE FROM sqlite_sequence WHERE name = 'varve_new_node';
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'varve_new_node', seq FROM sqlite_sequence WHERE name = 'node';
DROP TABLE "node";
ALTER TABLE "varve_new_node" RENAME TO "node";

-- lab.Node: indexes.
CREATE INDEX "node.2" ON "node" ("up");
