# Written by `throughline metrics export lookml`.
view: visits {
  label: "Visits"
  sql_table_name: metrics.visits ;;

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

  dimension: paid {
    type: yesno
    label: "Paid"
    description: "Paid."
    sql: ${TABLE}.paid ;;
  }

  dimension: device {
    type: string
    label: "Device"
    description: "Device."
    sql: ${TABLE}.device ;;
  }

  measure: visits {
    type: number
    label: "Visits"
    description: "Visits."
    value_format_name: decimal_0
    sql: measure(${TABLE}.visits) ;;
  }

  measure: people {
    type: number
    label: "People"
    description: "People."
    value_format_name: decimal_0
    sql: measure(${TABLE}.people) ;;
  }

  measure: engaged {
    type: number
    label: "Engaged"
    description: "Engaged."
    value_format_name: decimal_0
    sql: measure(${TABLE}.engaged) ;;
  }

  measure: engaged_rate {
    type: number
    label: "Engaged rate"
    description: "Rate."
    value_format_name: decimal_4
    sql: measure(${TABLE}.engaged_rate) ;;
  }

  measure: longest {
    type: number
    label: "Longest"
    description: "Longest."
    value_format_name: decimal_2
    sql: measure(${TABLE}.longest) ;;
  }

  measure: mean_seconds {
    type: number
    label: "Mean seconds"
    description: "Mean."
    value_format_name: decimal_2
    sql: measure(${TABLE}.mean_seconds) ;;
  }
}
