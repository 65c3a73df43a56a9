-- 0002_keys: written by `varve migrate new`. Statements added at the end are kept and run too.
-- package: kept
-- reads_ok: no
-- writes_ok: no
-- lock - field kept.Book 2 name string unique
-- lock - field kept.Book 3 text string
-- lock - message kept.Draft
-- lock - field kept.Draft 1 id int64
-- lock - field kept.Draft 2 written_at int64 time=UNIX_NANOSECONDS
-- lock - cache kept.Draft key=draft:{1} index_by=#2
-- lock - cache kept.Note key=note:{1}:{2} index_by=#3
-- lock - cache kept.Page key=page:{1}
-- lock - field kept.Tune 1 name string
-- lock + field kept.Book 2 title string unique
-- lock + field kept.Book 3 body string
-- lock + cache kept.Note key=note:{2}:{1} index_by=#3
-- lock + cache kept.Page key=page:{2}
-- lock + field kept.Tune 1 title string

-- kept.Book: field 2 is renamed from name to title.
-- kept.Book: field 3 is renamed from text to body.
ALTER TABLE "book" RENAME COLUMN "name" TO "title";
ALTER TABLE "book" RENAME COLUMN "text" TO "body";

-- kept.Draft: the message is gone.
-- kept.Note: key of the cache is note:{title}:{author} now, and was note:{author}:{title}.
-- kept.Tune: field 1 is renamed from name to title.
-- kept.Page: key of the cache is page:{name} now, and was page:{id}.
