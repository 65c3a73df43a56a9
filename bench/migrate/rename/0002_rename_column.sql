-- 0002_rename_column: written by `varve migrate new`. Statements added at the end are kept and run too.
-- package: lab
-- reads_ok: no
-- writes_ok: no
-- lock - field lab.Episode 5 context_hash string index
-- lock + field lab.Episode 5 context string index

-- lab.Episode: field 5 is renamed from context_hash to context.
ALTER TABLE "episode" RENAME COLUMN "context_hash" TO "context";
