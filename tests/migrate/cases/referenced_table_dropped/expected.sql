-- lab.Subject: the table subject is dropped, with all its records.
DROP TABLE "subject";

-- lab.Visit: field 2 (subject) is dropped, with its values.
-- lab.Visit: field 3 (code) refers to nothing any more.
-- SQLite cannot alter this in place: the table visit is written anew.
CREATE TABLE "varve_new_visit" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "code" TEXT,
  "varve_unknown" BLOB
) STRICT;
INSERT INTO "varve_new_visit" ("id", "code", "varve_unknown")
  SELECT "id", "code", "varve_unknown"
  FROM "visit" ORDER BY "id";
SELECT varve_assert((SELECT count(*) FROM "varve_new_visit") = (SELECT count(*) FROM "visit"),
  'lab.Visit: not every record of the table visit was taken over; nothing is changed');
DELETE FROM sqlite_sequence WHERE name = 'varve_new_visit';
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'varve_new_visit', seq FROM sqlite_sequence WHERE name = 'visit';
DROP TABLE "visit";
ALTER TABLE "varve_new_visit" RENAME TO "visit";
