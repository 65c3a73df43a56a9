-- lab.Visit: the table visit is dropped, with all its records.
DROP TABLE "visit";
