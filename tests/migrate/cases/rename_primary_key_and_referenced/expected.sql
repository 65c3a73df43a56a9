-- lab.Subject: field 1 is renamed from id to number.
-- lab.Subject: field 2 is renamed from code to label.
ALTER TABLE "subject" RENAME COLUMN "id" TO "number";
ALTER TABLE "subject" RENAME COLUMN "code" TO "label";
