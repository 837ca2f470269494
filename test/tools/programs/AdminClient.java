// The admin port by MariaDB's Connector/J: prepares of client and of server, a pool's checks, types of columns.

import java.sql.*;

public class AdminClient {
    public static void main(String[] args) throws Exception {
        String base = "jdbc:mariadb://" + System.getenv("ADMIN_HOST") + ":" + System.getenv("ADMIN_PORT") + "/";
        String[] kinds = {"", "useServerPrepStmts=true", "useCompression=true", "autocommit=false", "sessionVariables=sql_mode='ANSI'"};
        for (String kind : kinds) {
            try (Connection db = DriverManager.getConnection(base + "?user=admin&password=admin&" + kind)) {
                work(db, kind);
            }
        }
        System.out.println("end");
    }

    static void work(Connection db, String kind) throws SQLException {
        System.out.println(kind + " valid " + db.isValid(5) + " " + db.getMetaData().getDatabaseProductVersion().startsWith("5.7.44-sluice"));
        try (PreparedStatement insert = db.prepareStatement("INSERT INTO mysql_servers (hostgroup_id, hostname, port, comment) VALUES (?, ?, ?, ?)")) {
            insert.setInt(1, 7);
            insert.setString(2, "jdbc.example.invalid");
            insert.setLong(3, 3307);
            insert.setString(4, "it's \\ a 'comment' é");
            System.out.println(kind + " inserted " + insert.executeUpdate());
        }
        try (PreparedStatement select = db.prepareStatement("SELECT hostgroup_id, comment, ? AS nothing_at_all FROM mysql_servers WHERE hostname = ? AND port > ?")) {
            select.setNull(1, Types.VARCHAR);
            select.setString(2, "jdbc.example.invalid");
            select.setInt(3, 1);
            for (int round = 0; round < 2; round++) {
                try (ResultSet rows = select.executeQuery()) {
                    while (rows.next())
                        System.out.println(kind + " row " + rows.getInt(1) + " " + rows.getString("comment") + " " + rows.getString(3));
                }
            }
        }
        try (Statement statement = db.createStatement()) {
            try (ResultSet rows = statement.executeQuery("SELECT count(*) AS n FROM stats_mysql_global")) {
                rows.next();
                System.out.println(kind + " counted " + (rows.getInt("n") > 30));
            }
            try {
                statement.executeQuery("SELECT * FROM mysql_server");
            } catch (SQLException error) {
                System.out.println(kind + " error " + error.getErrorCode() + " " + error.getSQLState());
            }
            System.out.println(kind + " deleted " + statement.executeUpdate("DELETE FROM mysql_servers WHERE hostname = 'jdbc.example.invalid'"));
        }
        if (!db.getAutoCommit()) db.commit();
    }
}
