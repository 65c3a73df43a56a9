INSERT INTO sample (id, a, b, size) VALUES (1, 'a1', 'b1', 10), (2, 'a2', 'b2', 20);
CREATE VIEW sizes AS SELECT id, size * 2 AS twice FROM sample;
CREATE TABLE log (n INTEGER);
CREATE TRIGGER logged AFTER INSERT ON sample BEGIN INSERT INTO log VALUES (new.id); END;
