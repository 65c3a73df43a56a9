-- lab.Subject: the check of field 2 (code) is "length(code) < 9" now, and there was none.
-- SQLite cannot alter this in place: the table subject is written anew.
CREATE TABLE "varve_new_subject" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "code" TEXT NOT NULL DEFAULT '' CHECK (length("code") < 9),
  "varve_unknown" BLOB
) STRICT;
CREATE TABLE varve_counts AS SELECT (SELECT count(*) FROM "visit") AS "visit";
INSERT INTO "varve_new_subject" ("id", "code", "varve_unknown")
  SELECT "id", "code", "varve_unknown"
  FROM "subject" ORDER BY "id";
SELECT varve_assert((SELECT count(*) FROM "varve_new_subject") = (SELECT count(*) FROM "subject"),
  'lab.Subject: not every record of the table subject was taken over; nothing is changed');
DELETE FROM sqlite_sequence WHERE name = 'varve_new_subject';
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'varve_new_subject', seq FROM sqlite_sequence WHERE name = 'subject';
DROP TABLE "subject";
ALTER TABLE "varve_new_subject" RENAME TO "subject";
SELECT varve_assert((SELECT count(*) FROM "visit") = (SELECT "visit" FROM varve_counts),
  'lab.Subject: records of the table visit went with the old table subject; nothing is changed');
DROP TABLE varve_counts;

-- lab.Subject: indexes.
CREATE UNIQUE INDEX "subject.2" ON "subject" ("code");
