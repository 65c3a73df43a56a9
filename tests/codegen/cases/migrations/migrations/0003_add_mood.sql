-- 0003_add_mood: written by `varve migrate new`. Statements added at the end are kept and run too.
-- package: lab
-- reads_ok: yes
-- writes_ok: yes
-- lock + field lab.Sample 9 mood string

-- lab.Sample: field 9 (mood) is new.
ALTER TABLE "sample" ADD COLUMN "mood" TEXT NOT NULL DEFAULT '';

-- By hand: what C strings must escape.
UPDATE "sample" SET "mood" = 'é \ ??=';
