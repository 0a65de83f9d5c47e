# Written by `throughline metrics export lookml`.
view: costs {
  label: "Costs"
  sql_table_name: metrics.costs ;;

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

  dimension: channel {
    type: string
    label: "Channel"
    description: "Channel."
    sql: ${TABLE}.channel ;;
  }

  dimension: currency {
    type: string
    label: "Currency"
    description: "Currency."
    sql: ${TABLE}.currency ;;
  }

  measure: cost {
    type: number
    label: "Cost"
    description: "Cost."
    value_format: "#,##0.00 \"EUR\""
    sql: measure(${TABLE}.cost) ;;
  }

  measure: own_cost {
    type: number
    label: "Own cost"
    description: "Cost."
    value_format_name: decimal_2
    sql: measure(${TABLE}.own_cost) ;;
  }
}
