-- What cannot be read in `campaign_naming.csv` or `campaign_naming_value.csv`.
{{ config(severity='error') }}

select naming, pattern, problem
from {{ ref('int_campaign_naming_problem') }}
