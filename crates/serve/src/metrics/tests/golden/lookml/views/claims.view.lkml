# Written by `throughline metrics export lookml`.
view: claims {
  label: "Claims"
  sql_table_name: metrics.claims ;;

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

  dimension: platform {
    type: string
    label: "Platform"
    description: "Platform."
    sql: ${TABLE}.platform ;;
  }

  dimension: model {
    type: string
    label: "Model"
    description: "Model."
    sql: ${TABLE}.model ;;
  }

  measure: claims {
    type: number
    label: "Claims"
    description: "Claims."
    value_format_name: decimal_0
    sql: measure(${TABLE}.claims) ;;
  }
}
