-- 0001_initial: written by `varve migrate new`. Statements added at the end are kept and run too.
-- package: lab
-- reads_ok: yes
-- writes_ok: yes
-- lock + message lab.Episode table=episode
-- lock + field lab.Episode 1 id int64 key=1
-- lock + field lab.Episode 2 occurred_at int64 index time=UNIX_NANOSECONDS
-- lock + field lab.Episode 3 experience bytes
-- lock + field lab.Episode 4 performance_score double index min=0 max=1
-- lock + field lab.Episode 5 context_hash string index
-- lock + field lab.Episode 6 metadata string

-- lab.Episode: the message is new.
CREATE TABLE "episode" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "occurred_at" INTEGER NOT NULL DEFAULT 0,
  "experience" BLOB NOT NULL DEFAULT x'',
  "performance_score" REAL NOT NULL DEFAULT 0 CHECK ("performance_score" >= 0) CHECK ("performance_score" <= 1),
  "context_hash" TEXT NOT NULL DEFAULT '',
  "metadata" TEXT NOT NULL DEFAULT '',
  "varve_unknown" BLOB
) STRICT;
CREATE INDEX "episode.2" ON "episode" ("occurred_at");
CREATE INDEX "episode.4" ON "episode" ("performance_score");
CREATE INDEX "episode.5" ON "episode" ("context_hash");
