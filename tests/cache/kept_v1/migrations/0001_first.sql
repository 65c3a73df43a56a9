-- 0001_first: written by `varve migrate new`. Statements added at the end are kept and run too.
-- package: kept
-- reads_ok: yes
-- writes_ok: yes
-- lock + message kept.Book table=book
-- lock + field kept.Book 1 id int64 key=1
-- lock + field kept.Book 2 name string unique
-- lock + field kept.Book 3 text string
-- lock + cache kept.Book key=book:{2}
-- lock + message kept.Draft
-- lock + field kept.Draft 1 id int64
-- lock + field kept.Draft 2 written_at int64 time=UNIX_NANOSECONDS
-- lock + cache kept.Draft key=draft:{1} index_by=#2
-- lock + message kept.Note
-- lock + field kept.Note 1 author string
-- lock + field kept.Note 2 title string
-- lock + field kept.Note 3 written_at int64 time=UNIX_NANOSECONDS
-- lock + cache kept.Note key=note:{1}:{2} index_by=#3
-- lock + message kept.Page table=page
-- lock + field kept.Page 1 id int64 key=1
-- lock + field kept.Page 2 name string unique
-- lock + field kept.Page 3 text string
-- lock + cache kept.Page key=page:{1}
-- lock + message kept.Tune
-- lock + field kept.Tune 1 name string
-- lock + field kept.Tune 2 played_at int64 time=UNIX_NANOSECONDS
-- lock + cache kept.Tune key=tune:{1} index_by=#2

-- kept.Page: the message is new.
CREATE TABLE "page" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "name" TEXT NOT NULL DEFAULT '',
  "text" TEXT NOT NULL DEFAULT '',
  "varve_unknown" BLOB
) STRICT;
CREATE UNIQUE INDEX "page.2" ON "page" ("name");

-- kept.Book: the message is new.
CREATE TABLE "book" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "name" TEXT NOT NULL DEFAULT '',
  "text" TEXT NOT NULL DEFAULT '',
  "varve_unknown" BLOB
) STRICT;
CREATE UNIQUE INDEX "book.2" ON "book" ("name");

-- kept.Note: the message is new.
-- kept.Tune: the message is new.
-- kept.Draft: the message is new.
