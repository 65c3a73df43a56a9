-- 0002_episodes_by_context: written by `varve migrate new`. Statements added at the end are kept and run too.
-- package: cortex
-- reads_ok: yes
-- writes_ok: yes
-- lock - field cortex.Episode 5 context_hash string index
-- lock + field cortex.Episode 5 context_hash string
-- lock + index cortex.Episode 5,2

-- cortex.Episode: field 5 (context_hash) has no index of its own any more.
DROP INDEX "episode.5";

-- cortex.Episode: the index over context_hash, occurred_at is new.
CREATE INDEX "episode.5,2" ON "episode" ("context_hash", "occurred_at");
