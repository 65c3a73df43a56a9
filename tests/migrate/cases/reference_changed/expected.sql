-- lab.Mark: field 2 (visit) refers to lab.Subject.id now.
-- lab.Mark: on_delete of field 2 (visit) is CASCADE now, and was RESTRICT.
-- SQLite cannot alter this in place: the table mark is written anew.
CREATE TABLE "varve_new_mark" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "visit" INTEGER NOT NULL REFERENCES "subject" ("id") ON DELETE CASCADE,
  "varve_unknown" BLOB
) STRICT;
INSERT INTO "varve_new_mark" ("id", "visit", "varve_unknown")
  SELECT "id", "visit", "varve_unknown"
  FROM "mark" ORDER BY "id";
SELECT varve_assert((SELECT count(*) FROM "varve_new_mark") = (SELECT count(*) FROM "mark"),
  'lab.Mark: not every record of the table mark was taken over; nothing is changed');
DELETE FROM sqlite_sequence WHERE name = 'varve_new_mark';
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'varve_new_mark', seq FROM sqlite_sequence WHERE name = 'mark';
DROP TABLE "mark";
ALTER TABLE "varve_new_mark" RENAME TO "mark";

-- lab.Mark: indexes.
CREATE INDEX "mark.2" ON "mark" ("visit");
