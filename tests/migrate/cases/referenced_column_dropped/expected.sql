-- lab.Subject: field 2 (code) is dropped, with its values.
DROP INDEX "subject.2";
ALTER TABLE "subject" DROP COLUMN "code";

-- lab.Visit: field 3 (code) refers to nothing any more.
-- SQLite cannot alter this in place: the table visit is written anew.
CREATE TABLE "varve_new_visit" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "subject" INTEGER NOT NULL REFERENCES "subject" ("id") ON DELETE CASCADE,
  "code" TEXT,
  "varve_unknown" BLOB
) STRICT;
INSERT INTO "varve_new_visit" ("id", "subject", "code", "varve_unknown")
  SELECT "id", "subject", "code", "varve_unknown"
  FROM "visit" ORDER BY "id";
SELECT varve_assert((SELECT count(*) FROM "varve_new_visit") = (SELECT count(*) FROM "visit"),
  'lab.Visit: not every record of the table visit was taken over; nothing is changed');
DELETE FROM sqlite_sequence WHERE name = 'varve_new_visit';
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'varve_new_visit', seq FROM sqlite_sequence WHERE name = 'visit';
DROP TABLE "visit";
ALTER TABLE "varve_new_visit" RENAME TO "visit";

-- lab.Visit: indexes.
CREATE INDEX "visit.2" ON "visit" ("subject");
