-- 0002_rebuild_column: written by `varve migrate new`. Statements added at the end are kept and run too.
-- package: lab
-- reads_ok: no
-- writes_ok: no
-- lock - field lab.Episode 4 performance_score double index min=0 max=1
-- lock + field lab.Episode 4 performance_score optional double index min=0 max=1

-- lab.Episode: field 4 (performance_score) is optional now.
-- SQLite cannot alter this in place: the table episode is written anew.
CREATE TABLE "varve_new_episode" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "occurred_at" INTEGER NOT NULL DEFAULT 0,
  "experience" BLOB NOT NULL DEFAULT x'',
  "performance_score" REAL CHECK ("performance_score" >= 0) CHECK ("performance_score" <= 1),
  "context_hash" TEXT NOT NULL DEFAULT '',
  "metadata" TEXT NOT NULL DEFAULT '',
  "varve_unknown" BLOB
) STRICT;
INSERT INTO "varve_new_episode" ("id", "occurred_at", "experience", "performance_score", "context_hash", "metadata", "varve_unknown")
  SELECT "id", "occurred_at", "experience", "performance_score", "context_hash", "metadata", "varve_unknown"
  FROM "episode" ORDER BY "id";
SELECT varve_assert((SELECT count(*) FROM "varve_new_episode") = (SELECT count(*) FROM "episode"),
  'lab.Episode: not every record of the table episode was taken over; nothing is changed');
DELETE FROM sqlite_sequence WHERE name = 'varve_new_episode';
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'varve_new_episode', seq FROM sqlite_sequence WHERE name = 'episode';
DROP TABLE "episode";
ALTER TABLE "varve_new_episode" RENAME TO "episode";

-- lab.Episode: indexes.
CREATE INDEX "episode.2" ON "episode" ("occurred_at");
CREATE INDEX "episode.4" ON "episode" ("performance_score");
CREATE INDEX "episode.5" ON "episode" ("context_hash");
