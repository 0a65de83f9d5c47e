import java.sql.*;
import java.util.*;

/** The JDBC driver of PostgreSQL at the Postgres door: address, user, password. */
public class Sql {
    static List<String> column(ResultSet rows, String name) throws SQLException {
        List<String> values = new ArrayList<>();
        while (rows.next()) {
            values.add(rows.getString(name));
        }
        return values;
    }

    public static void main(String[] args) throws Exception {
        String url = "jdbc:postgresql://" + args[0] + "/throughline?sslmode=prefer";
        try (Connection connection = DriverManager.getConnection(url, args[1], args[2])) {
            DatabaseMetaData meta = connection.getMetaData();
            System.out.println("product: " + meta.getDatabaseProductVersion());
            System.out.println("schema star: " + column(meta.getSchemas(), "TABLE_SCHEM").contains("star"));
            String[] kinds = {"TABLE", "VIEW"};
            System.out.println("tables: " + column(meta.getTables(null, "star", "fct_order%", kinds), "TABLE_NAME"));
            System.out.println("columns: " + column(meta.getColumns(null, "star", "fct_order", "%"), "COLUMN_NAME").contains("net_amount"));
            System.out.println("keys: " + column(meta.getPrimaryKeys(null, "star", "fct_order"), "COLUMN_NAME"));
            System.out.println("imported: " + column(meta.getImportedKeys(null, "star", "fct_order"), "FKCOLUMN_NAME"));
            System.out.println("indexes: " + column(meta.getIndexInfo(null, "star", "fct_order", false, true), "INDEX_NAME"));
            System.out.println("types: " + column(meta.getTypeInfo(), "TYPE_NAME").contains("numeric"));
            System.out.println("functions: " + column(meta.getFunctions(null, "star", "%"), "FUNCTION_NAME"));
            try (PreparedStatement statement = connection.prepareStatement(
                    "select count(*) n, max(reporting_date) d from star.fct_order where net_amount > ? and reporting_date >= ?")) {
                for (int turn = 0; turn < 8; turn++) {
                    statement.setBigDecimal(1, new java.math.BigDecimal("-1000000"));
                    statement.setDate(2, java.sql.Date.valueOf("2000-01-01"));
                    try (ResultSet rows = statement.executeQuery()) {
                        rows.next();
                        if (turn == 7) {
                            System.out.println("orders: " + rows.getLong("n"));
                        }
                    }
                }
            }
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(10);
                int count = 0;
                try (ResultSet rows = statement.executeQuery("select order_key, net_amount, ordered_at from star.fct_order")) {
                    while (rows.next()) {
                        rows.getBigDecimal(2);
                        rows.getTimestamp(3);
                        count++;
                    }
                }
                System.out.println("in parts: " + count);
            }
            connection.rollback();
            try (Statement statement = connection.createStatement()) {
                statement.executeQuery("select * from star.no_table");
            } catch (SQLException error) {
                System.out.println("error: " + error.getSQLState());
            }
            connection.rollback();
        }
    }
}
