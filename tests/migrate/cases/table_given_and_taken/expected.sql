-- lab.Inner: the table inner is dropped, with all its records.
DROP TABLE "inner";

-- lab.Given: the message has a table now, given.
CREATE TABLE "given" (
  "a" TEXT PRIMARY KEY NOT NULL,
  "varve_unknown" BLOB
) STRICT;
