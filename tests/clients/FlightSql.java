import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Calendar;
import java.util.Properties;
import java.util.TimeZone;
import java.util.TreeSet;

/** Asks the Flight SQL door through its JDBC driver; prints one line for each answer. */
public final class FlightSql {
    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.put("user", arguments[1]);
        properties.put("password", arguments[2]);
        properties.put("useEncryption", "false");
        String url = "jdbc:arrow-flight-sql://" + arguments[0];
        try (Connection connection = DriverManager.getConnection(url, properties)) {
            about(connection.getMetaData());
            query(connection);
            prepared(connection);
            errors(connection);
        }
    }

    /** Everything that the driver can be asked about the server without an argument. */
    private static void about(DatabaseMetaData data) throws Exception {
        for (Method method : DatabaseMetaData.class.getMethods()) {
            Class<?> type = method.getReturnType();
            if (method.getParameterCount() > 0 || !(type.isPrimitive() || type == String.class)) {
                continue;
            }
            try {
                method.invoke(data);
            } catch (InvocationTargetException error) {
                say("failed", method.getName() + ": " + error.getCause());
            }
        }
        say("product", data.getDatabaseProductName());
        list("schemas", data.getSchemas(), "TABLE_SCHEM");
        list("types", data.getTableTypes(), "TABLE_TYPE");
        list("tables", data.getTables(null, "star", "fct_order%", null), "TABLE_NAME");
        list("columns", data.getColumns(null, "star", "fct_order", "order_%"), "COLUMN_NAME");
        list("keys", data.getPrimaryKeys(null, "star", "fct_order"), "COLUMN_NAME");
        list("imported", data.getImportedKeys(null, "star", "fct_order"), "FKCOLUMN_NAME");
    }

    private static void query(Connection connection) throws SQLException {
        String sql = "select count(*) as n, 'x' as t, cast(1.5 as decimal(9,2)) as d, "
            + "date '2026-01-31' as day, true as b, timestamp '2026-01-31 10:00:00' as at "
            + "from star.fct_order";
        Calendar zone = Calendar.getInstance(TimeZone.getTimeZone("UTC"));
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            ResultSetMetaData columns = rows.getMetaData();
            StringBuilder names = new StringBuilder();
            for (int i = 1; i <= columns.getColumnCount(); i++) {
                names.append(columns.getColumnLabel(i)).append(' ');
                names.append(columns.getColumnTypeName(i)).append(' ');
            }
            say("columns of the query", names.toString().trim());
            while (rows.next()) {
                say("row", rows.getLong(1) + "|" + rows.getString(2) + "|" + rows.getBigDecimal(3)
                    + "|" + rows.getDate(4) + "|" + rows.getBoolean(5)
                    + "|" + rows.getTimestamp(6, zone).toInstant());
            }
        }
    }

    private static void prepared(Connection connection) throws SQLException {
        String sql = "select n from (values (1, 'a'), (2, 'b'), (3, 'a')) v(n, t) "
            + "where t = ? and n < ? order by n";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int most : new int[] {2, 9}) {
                statement.setString(1, "a");
                statement.setLong(2, most);
                StringBuilder all = new StringBuilder();
                try (ResultSet rows = statement.executeQuery()) {
                    while (rows.next()) {
                        all.append(rows.getLong(1)).append(' ');
                    }
                }
                say("prepared", all.toString().trim());
            }
        }
    }

    private static void errors(Connection connection) {
        String[] all = {"select * from no.table", "delete from star.fct_order", "selec 1"};
        for (String wrong : all) {
            try (Statement statement = connection.createStatement()) {
                statement.execute(wrong);
                say("error", "none");
            } catch (SQLException error) {
                say("error", error.getMessage().split("\n")[0]);
            }
        }
    }

    private static void list(String what, ResultSet rows, String column) throws SQLException {
        TreeSet<String> all = new TreeSet<>();
        try (rows) {
            while (rows.next()) {
                all.add(rows.getString(column));
            }
        }
        say(what, all);
    }

    private static void say(String what, Object value) {
        System.out.println(what + ": " + value);
    }
}
