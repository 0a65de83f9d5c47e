-- Customers by the week of their first touch, and how many came back in which week.
select cohort_date, cohort_customer_count, period_number, customer_count, retention_rate
from retention(
    (select customer_key, event_at from star.int_customer_touch
        where not is_conversion and customer_key <> 0),
    period => 'week', zone => 'UTC'
)
order by cohort_date, period_number
