CREATE TABLE author (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100) NOT NULL UNIQUE, born DATE) COMMENT='autoři – авторы';
CREATE TABLE book (id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, title VARCHAR(190), price DECIMAL(12,4), author_id INT,
  at DATETIME(6), stamp TIMESTAMP(3) NULL, cover BLOB, text LONGTEXT, kind ENUM('a','č'), flags SET('x','y','ž'), bits BIT(9), place POINT,
  KEY (title(20)), FULLTEXT (text), CONSTRAINT by_author FOREIGN KEY (author_id) REFERENCES author (id) ON DELETE CASCADE) CHARSET=utf8mb4;
CREATE TABLE `odd ``name` (`a b` INT, `ž` VARCHAR(10) CHARACTER SET latin2, `sj` VARCHAR(20) CHARACTER SET sjis, PRIMARY KEY (`a b`)) ENGINE=MyISAM;
CREATE TABLE parted (id INT, year INT, PRIMARY KEY (id, year)) PARTITION BY RANGE (year) (PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN MAXVALUE);
CREATE TABLE log (book_id BIGINT UNSIGNED, what VARCHAR(20));
INSERT INTO author (name, born) VALUES ('Karel Čapek', '1890-01-09'), ('Božena 😀', NULL), ('it''s \\ \n "quoted"', '0001-01-01');
INSERT INTO `odd ``name` VALUES (1, 'žluť', '表ソ'), (2, NULL, '');
INSERT INTO book (title, price, author_id, at, stamp, cover, text, kind, flags, bits, place) VALUES
  ('R.U.R.', 12.5, 1, '2024-03-31 01:59:59.123456', '2024-03-31 00:59:59.123', x'00FF27225C0A0D1A', REPEAT('дlong – ', 50000), 'č', 'x,ž', b'101010101', POINT(1.5, -2)),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO book (title, price) SELECT CONCAT('copy ', a.id, b.id, c.id, d.id, e.id, f.id), a.id * b.id / 7 FROM author a, author b, author c, author d, author e, author f;
INSERT INTO parted SELECT id, 1990 + id % 20 FROM book;
CREATE VIEW cheap AS SELECT id, title FROM book WHERE price < 1;
CREATE VIEW cheaper AS SELECT id FROM cheap WHERE id > 10;
DELIMITER //
CREATE TRIGGER book_insert AFTER INSERT ON book FOR EACH ROW INSERT INTO log VALUES (NEW.id, 'přidána')//
CREATE PROCEDURE copy_book(IN n INT, OUT m INT) BEGIN DECLARE i INT DEFAULT 0; /* smyčka */ WHILE i < n DO SET i = i + 1; END WHILE; SET m = i; END//
CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN x * 2//
CREATE EVENT nightly_event ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DISABLE DO DELETE FROM log//
DELIMITER ;
