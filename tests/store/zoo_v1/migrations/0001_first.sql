-- 0001_first: written by `varve migrate new`. Statements added at the end are kept and run too.
-- package: zoo
-- reads_ok: yes
-- writes_ok: yes
-- lock + message zoo.Animal table=animal
-- lock + field zoo.Animal 1 id int64 key=1
-- lock + field zoo.Animal 2 name string unique
-- lock + field zoo.Animal 3 place message zoo.Place json
-- lock + field zoo.Animal 4 stays repeated message zoo.Place json
-- lock + field zoo.Animal 5 keeper_id optional int64 references=zoo.Keeper#1 on_delete=CASCADE
-- lock + message zoo.Keeper table=keeper
-- lock + field zoo.Keeper 1 id int64 key=1
-- lock + field zoo.Keeper 2 name string unique
-- lock + message zoo.Place
-- lock + field zoo.Place 1 room string
-- lock + field zoo.Place 2 shelf int32

-- zoo.Keeper: the message is new.
CREATE TABLE "keeper" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "name" TEXT NOT NULL DEFAULT '',
  "varve_unknown" BLOB
) STRICT;
CREATE UNIQUE INDEX "keeper.2" ON "keeper" ("name");

-- zoo.Animal: the message is new.
CREATE TABLE "animal" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "name" TEXT NOT NULL DEFAULT '',
  "place" BLOB,
  "stays" BLOB NOT NULL DEFAULT x'',
  "keeper_id" INTEGER REFERENCES "keeper" ("id") ON DELETE CASCADE,
  "place_json" TEXT,
  "stays_json" TEXT,
  "varve_unknown" BLOB
) STRICT;
CREATE UNIQUE INDEX "animal.2" ON "animal" ("name");
CREATE INDEX "animal.5" ON "animal" ("keeper_id");
