// JDBC as applications use it, by MariaDB's connector: prepares of client and server, batches, cursors, metadata, pools.

import java.io.ByteArrayInputStream;
import java.io.StringReader;
import java.math.BigDecimal;
import java.sql.*;
import java.util.*;
import java.util.concurrent.*;

public class App {
    static final String EMOJI = "Žluťoučký kůň 😀 中文 ' \" \\ % _";
    static final String BASE = "jdbc:mariadb://" + System.getenv("APP_HOST") + ":" + System.getenv("APP_PORT") + "/" + System.getenv("APP_SCHEMA");

    interface Work {
        Object run() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        String[] kinds = {
            "", "useServerPrepStmts=true", "rewriteBatchedStatements=true", "useBulkStmts=true&useServerPrepStmts=true",
            "useServerPrepStmts=true&cachePrepStmts=false&allowMultiQueries=true", "autocommit=false&useAffectedRows=true",
            "sessionVariables=sql_mode='ANSI',time_zone='%2B03:00'&tcpKeepAlive=true&usePipelineAuth=false"
        };
        for (String kind : kinds) {
            say("kind", kind);
            try (Connection db = connect(kind)) {
                work(db, kind);
            }
        }
        sync();
        pool();
        say("end");
    }

    static Connection connect(String options) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", System.getenv("APP_USER"));
        properties.setProperty("password", System.getenv("APP_PASSWORD"));
        for (String option : options.split("&")) {
            int at = option.indexOf('=');
            if (at > 0) properties.setProperty(option.substring(0, at), option.substring(at + 1).replace("%2B", "+"));
        }
        return DriverManager.getConnection(BASE, properties);
    }

    static void work(Connection db, String kind) throws Exception {
        boolean auto = db.getAutoCommit();
        try (Statement s = db.createStatement()) {
            s.execute("DROP TABLE IF EXISTS item");
            s.execute("CREATE TABLE item (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100), price DECIMAL(20,6), at DATETIME(6), stamp TIMESTAMP NULL, day DATE, clock TIME(3), data BLOB, text LONGTEXT, flag BIT(1), huge BIGINT UNSIGNED, real_ DOUBLE, year YEAR, kind ENUM('a','č')) CHARSET utf8mb4");
        }
        String insert = "INSERT INTO item (name, price, at, stamp, day, clock, data, text, flag, huge, real_, year, kind) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        try (PreparedStatement p = db.prepareStatement(insert, Statement.RETURN_GENERATED_KEYS)) {
            for (int n = 0; n < 3; n++) {
                p.setString(1, n == 1 ? null : EMOJI + n);
                p.setBigDecimal(2, n == 1 ? null : new BigDecimal("12345678901234.567891"));
                p.setTimestamp(3, Timestamp.valueOf("2024-02-29 01:59:59.123456"));
                p.setTimestamp(4, Timestamp.valueOf("2024-02-29 01:59:59"));
                p.setDate(5, java.sql.Date.valueOf("2024-02-29"));
                p.setTime(6, Time.valueOf("23:59:58"));
                if (n == 0) p.setBinaryStream(7, new ByteArrayInputStream(new byte[] {0, 1, 39, 92, -1}));
                else p.setBytes(7, new byte[] {5, 6});
                p.setCharacterStream(8, new StringReader("длинный ".repeat(20000 * n + 1)));
                p.setBoolean(9, n != 1);
                p.setString(10, "18446744073709551615");
                p.setDouble(11, 0.1 + 0.2);
                p.setInt(12, 2155);
                p.setString(13, "č");
                say("insert", p.executeUpdate(), rows(p.getGeneratedKeys()));
            }
        }
        try (PreparedStatement p = db.prepareStatement("INSERT INTO item (name, price) VALUES (?, ?)", Statement.RETURN_GENERATED_KEYS)) {
            for (int n = 0; n < 50; n++) {
                p.setString(1, "batch " + n);
                p.setInt(2, n);
                p.addBatch();
            }
            int[] counts = p.executeBatch();
            say("batch", counts.length, Arrays.stream(counts).distinct().toArray().length, rows(p.getGeneratedKeys()).size());
        }
        try (Statement s = db.createStatement()) {
            s.addBatch("UPDATE item SET price = price + 1 WHERE id < 10");
            s.addBatch("DELETE FROM item WHERE name = 'batch 7'");
            say("several", Arrays.toString(s.executeBatch()));
        }
        String[] reads = {"SELECT * FROM item WHERE id < ? ORDER BY id", "SELECT id, name AS n, MD5(text) AS t, ? + 1 AS x FROM item WHERE id IN (1, 2, 60) ORDER BY id"};
        for (String sql : reads) {
            try (PreparedStatement p = db.prepareStatement(sql)) {
                for (int low : new int[] {2, 3, 0}) {
                    p.setInt(1, low);
                    try (ResultSet r = p.executeQuery()) {
                        say("columns", columns(r.getMetaData()));
                        say("rows", rows(r));
                    }
                }
                say("parameters", p.getParameterMetaData().getParameterCount());
            }
        }
        try (Statement s = db.createStatement(ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY)) {
            s.setFetchSize(7);
            try (ResultSet r = s.executeQuery("SELECT a.id, b.name FROM item a, item b ORDER BY a.id, b.id LIMIT 500")) {
                int n = 0;
                while (r.next()) n += r.getInt(1);
                say("streamed", n);
            }
            s.setMaxRows(3);
            say("at most", rows(s.executeQuery("SELECT id FROM item ORDER BY id")).size());
            s.setMaxRows(0);
            s.setQueryTimeout(1);
            say("time-out", failure(() -> rows(s.executeQuery("SELECT SLEEP(3), COUNT(*) FROM item"))));
            s.setQueryTimeout(0);
            say("after it", rows(s.executeQuery("SELECT COUNT(*) FROM item")));
        }
        if (kind.contains("allowMultiQueries")) {
            try (Statement s = db.createStatement()) {
                boolean has = s.execute("SELECT 1; UPDATE item SET price = 1 WHERE id = 1; SELECT 2, 3");
                for (int n = 0; n < 4; n++) {
                    say("result", has ? rows(s.getResultSet()) : s.getUpdateCount());
                    has = s.getMoreResults();
                }
            }
        }
        transactions(db, auto);
        routines(db);
        metadata(db);
        if (!auto) db.commit();
    }

    static void transactions(Connection db, boolean auto) throws Exception {
        db.setAutoCommit(false);
        db.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        try (Statement s = db.createStatement()) {
            s.executeUpdate("UPDATE item SET name = 'changed' WHERE id = 1");
            Savepoint point = db.setSavepoint("one");
            s.executeUpdate("DELETE FROM item");
            db.rollback(point);
            say("to the savepoint", rows(s.executeQuery("SELECT COUNT(*) FROM item FOR UPDATE")));
            db.commit();
            s.executeUpdate("DELETE FROM item");
            db.rollback();
            say("rolled back", rows(s.executeQuery("SELECT COUNT(*) FROM item")));
            say("duplicate", failure(() -> s.executeUpdate("INSERT INTO item (id) VALUES (1)")));
            say("syntax", failure(() -> s.executeUpdate("SELEC 1")));
            db.commit();
            db.setReadOnly(true);
            say("read only", rows(s.executeQuery("SELECT MAX(id) > 0 FROM item")), db.isReadOnly(), db.getTransactionIsolation());
            db.commit();
            db.setReadOnly(false);
        }
        db.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        db.setAutoCommit(auto);
    }

    static void routines(Connection db) throws Exception {
        try (Statement s = db.createStatement()) {
            s.execute("DROP PROCEDURE IF EXISTS give");
            s.execute("CREATE PROCEDURE give(IN a INT, OUT b INT, INOUT c VARCHAR(20)) BEGIN SELECT a, 'x'; SELECT id FROM item ORDER BY id LIMIT 2; SET b = a * 2, c = CONCAT(c, '!'); END");
            s.execute("DROP FUNCTION IF EXISTS twice");
            s.execute("CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC NO SQL RETURN x * 2");
        }
        try (CallableStatement c = db.prepareCall("{call give(?, ?, ?)}")) {
            for (int n = 1; n < 3; n++) {
                c.setInt(1, n);
                c.registerOutParameter(2, Types.INTEGER);
                c.setString(3, "c");
                c.registerOutParameter(3, Types.VARCHAR);
                c.execute();
                say("first", rows(c.getResultSet()), c.getMoreResults(), rows(c.getResultSet()));
                say("out", c.getInt(2), c.getString(3));
            }
        }
        try (CallableStatement c = db.prepareCall("{? = call twice(?)}")) {
            c.registerOutParameter(1, Types.INTEGER);
            c.setInt(2, 21);
            c.execute();
            say("function", c.getInt(1));
        }
    }

    static void metadata(Connection db) throws Exception {
        DatabaseMetaData m = db.getMetaData();
        say("product", m.getDatabaseProductName(), m.getDatabaseMajorVersion(), m.getURL() != null, m.supportsSavepoints());
        String schema = System.getenv("APP_SCHEMA");
        say("tables", rows(m.getTables(schema, null, "%", new String[] {"TABLE", "VIEW"})));
        say("columns", rows(m.getColumns(schema, null, "item", "%")));
        say("keys", rows(m.getPrimaryKeys(schema, null, "item")), rows(m.getImportedKeys(schema, null, "item")));
        say("indexes", rows(m.getIndexInfo(schema, null, "item", false, true)).size());
        say("procedures", rows(m.getProcedures(schema, null, "give")).size(), rows(m.getProcedureColumns(schema, null, "give", "%")).size());
        say("types", rows(m.getTypeInfo()).size());
        db.setCatalog("information_schema");
        say("catalog", db.getCatalog());
        db.setCatalog(schema);
        say("valid", db.isValid(2), db.getWarnings() == null);
    }

    static void pool() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(6);
        List<Future<Object>> found = new ArrayList<>();
        for (int n = 0; n < 40; n++) {
            int id = n;
            found.add(threads.submit(() -> {
                try (Connection db = connect(id % 2 == 0 ? "useServerPrepStmts=true" : ""); PreparedStatement p = db.prepareStatement("SELECT id, name FROM item WHERE id = ?")) {
                    p.setInt(1, id);
                    return rows(p.executeQuery());
                }
            }));
        }
        for (Future<Object> one : found) say("report", one.get());
        threads.shutdown();
    }

    static List<List<String>> rows(ResultSet r) throws SQLException {
        List<List<String>> all = new ArrayList<>();
        while (r != null && r.next()) {
            List<String> row = new ArrayList<>();
            for (int i = 1; i <= r.getMetaData().getColumnCount(); i++) {
                Object value = r.getObject(i);
                String text = value instanceof byte[] ? Arrays.toString((byte[]) value) : String.valueOf(value);
                row.add(text.length() > 200 ? text.length() + " " + text.hashCode() : text);
            }
            all.add(row);
        }
        return all;
    }

    static List<String> columns(ResultSetMetaData m) throws SQLException {
        List<String> all = new ArrayList<>();
        for (int i = 1; i <= m.getColumnCount(); i++) {
            all.add(String.join(" ", m.getColumnLabel(i), m.getColumnName(i), m.getTableName(i), m.getColumnTypeName(i), m.getColumnClassName(i),
                m.getPrecision(i) + "," + m.getScale(i) + "," + m.isNullable(i) + "," + m.isSigned(i) + "," + m.isAutoIncrement(i)));
        }
        return all;
    }

    static Object failure(Work work) {
        try {
            return List.of("unexpected", String.valueOf(work.run()));
        } catch (SQLException error) {
            String message = String.valueOf(error.getMessage()).replaceAll("conn(?:ection)?[=:] ?\\d+", "connection");
            return List.of(error.getClass().getSimpleName(), error.getErrorCode(), String.valueOf(error.getSQLState()), message);
        } catch (Exception error) {
            return String.valueOf(error);
        }
    }

    static void say(String step, Object... result) {
        if (result.length == 0) System.out.println("{\"step\":\"" + step + "\"}");
        else System.out.println("{\"step\":\"" + step + "\",\"result\":\"" + List.of(result).toString().replace("\n", " ") + "\"}");
    }

    static void sync() throws Exception {
        System.out.println("{\"sync\":true}");
        System.in.read();
    }
}
