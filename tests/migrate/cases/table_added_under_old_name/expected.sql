-- lab.Sample: the table sample is now old_sample.
ALTER TABLE "sample" RENAME TO "old_sample";

-- lab.Fresh: the message is new.
CREATE TABLE "sample" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "a" TEXT NOT NULL DEFAULT '',
  "b" TEXT NOT NULL DEFAULT '',
  "varve_unknown" BLOB
) STRICT;
CREATE UNIQUE INDEX "sample.2" ON "sample" ("a");
