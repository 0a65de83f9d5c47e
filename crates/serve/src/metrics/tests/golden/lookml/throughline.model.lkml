# Written by `throughline metrics export lookml`.
connection: "throughline"
include: "/views/*.view.lkml"
week_start_day: monday

explore: claims {
  label: "Claims"
  description: "Claims. Group by platform or filter to one platform: Platforms claim the same sale."
}

explore: costs {
  label: "Costs"
  description: "Costs."
}

explore: stock {
  label: "Stock"
  description: "Stock."
}

explore: visits {
  label: "Visits"
  description: "Visits."
}
