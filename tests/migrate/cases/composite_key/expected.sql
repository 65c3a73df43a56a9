-- lab.Cell: field 1 is renamed from x to column.
ALTER TABLE "cell" RENAME COLUMN "x" TO "column";

-- lab.Cell: field 1 (column) is int64 now, and was int32.
-- lab.Cell: field 3 (v) is plain now; where it was absent it is 0.
-- SQLite cannot alter this in place: the table cell is written anew.
CREATE TABLE "varve_new_cell" (
  "column" INTEGER NOT NULL,
  "y" TEXT NOT NULL,
  "v" REAL NOT NULL DEFAULT 0,
  "varve_unknown" BLOB,
  PRIMARY KEY ("column", "y")
) STRICT;
INSERT INTO "varve_new_cell" ("column", "y", "v", "varve_unknown")
  SELECT "column", "y", coalesce("v", 0), "varve_unknown"
  FROM "cell" ORDER BY "column", "y";
SELECT varve_assert((SELECT count(*) FROM "varve_new_cell") = (SELECT count(*) FROM "cell"),
  'lab.Cell: not every record of the table cell was taken over; nothing is changed');
DROP TABLE "cell";
ALTER TABLE "varve_new_cell" RENAME TO "cell";
