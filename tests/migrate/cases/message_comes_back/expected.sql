-- lab.Visit: the message is new.
CREATE TABLE "visit" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "subject" INTEGER NOT NULL REFERENCES "subject" ("id") ON DELETE CASCADE,
  "code" TEXT REFERENCES "subject" ("code") ON DELETE SET NULL,
  "varve_unknown" BLOB
) STRICT;
CREATE INDEX "visit.2" ON "visit" ("subject");
CREATE INDEX "visit.3" ON "visit" ("code");
