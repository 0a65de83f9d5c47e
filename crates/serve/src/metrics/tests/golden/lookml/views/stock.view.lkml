# Written by `throughline metrics export lookml`.
view: stock {
  label: "Stock"
  sql_table_name: metrics.stock ;;

  dimension: day {
    type: date
    datatype: date
    convert_tz: no
    group_label: "Time"
    description: "The day."
    sql: ${TABLE}.day ;;
  }

  dimension: week {
    type: date
    datatype: date
    convert_tz: no
    group_label: "Time"
    description: "First day of the week."
    sql: ${TABLE}.week ;;
  }

  dimension: month {
    type: date
    datatype: date
    convert_tz: no
    group_label: "Time"
    description: "First day of the month."
    sql: ${TABLE}.month ;;
  }

  dimension: quarter {
    type: date
    datatype: date
    convert_tz: no
    group_label: "Time"
    description: "First day of the quarter."
    sql: ${TABLE}.quarter ;;
  }

  dimension: year {
    type: date
    datatype: date
    convert_tz: no
    group_label: "Time"
    description: "First day of the year."
    sql: ${TABLE}.year ;;
  }

  dimension: device {
    type: string
    label: "Device"
    description: "Device."
    sql: ${TABLE}.device ;;
  }

  measure: in_stock {
    type: number
    label: "In stock"
    description: "Stock."
    value_format_name: decimal_0
    sql: measure(${TABLE}.in_stock) ;;
  }
}
