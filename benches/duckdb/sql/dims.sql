-- Pages, kinds of device and places by day, of the events at hand.
insert into page_day
select event_at::date, page_address(page_url) as page_address, hash(page_address),
    max(page_title), count(*)
from fresh_event
where page_url is not null
group by all;

insert into device_day
select event_at::date, hash(device_category, device_brand, operating_system, browser, language),
    device_category, device_brand, operating_system, browser, language, count(*)
from fresh_event
group by all;

insert into geo_day
select event_at::date, hash(country, region, city), country, region, city, count(*)
from fresh_event
group by all;

create or replace table dim_page as
select
    page_key,
    max(page_address) as page_address,
    split_part(max(page_address), '/', 1) as hostname,
    max(page_title) as page_title,
    min(event_date) as first_seen_date,
    sum(event_count) as event_count
from page_day
group by page_key;

create or replace table dim_device as
select
    device_key, max(device_category) as device_category, max(device_brand) as device_brand,
    max(operating_system) as operating_system, max(browser) as browser, max(language) as language,
    min(event_date) as first_seen_date
from device_day
where coalesce(device_category, device_brand, operating_system, browser, language) is not null
group by device_key;

create or replace table dim_geo as
with place as (
    select event_date, geo_key, country, region, city from geo_day
    union all
    select ordered_at::date, hash(country, region, city), country, region, city from shop_order
)

select geo_key, max(country) as country, max(region) as region, max(city) as city,
    min(event_date) as first_seen_date
from place
where coalesce(country, region, city) is not null
group by geo_key
