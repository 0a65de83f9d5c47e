-- grain: one row per version of a Microsoft Advertising account
{{ config(entity='campaign') }}
{#- Microsoft's own names of zones. Left out are those whose cities no longer keep one time
    (AthensBuckarestIstanbul, CasablancaMonrovia …): an IANA zone would be a guess. -#}
{%- set zones = [
    ['AbuDhabiMuscat', 'Asia/Dubai'],
    ['Adelaide', 'Australia/Adelaide'],
    ['Alaska', 'America/Anchorage'],
    ['AmsterdamBerlinBernRomeStockholmVienna', 'Europe/Berlin'],
    ['Arizona', 'America/Phoenix'],
    ['AtlanticTimeCanada', 'America/Halifax'],
    ['AucklandWellington', 'Pacific/Auckland'],
    ['Azores', 'Atlantic/Azores'],
    ['Baghdad', 'Asia/Baghdad'],
    ['BakuTbilisiYerevan', 'Asia/Baku'],
    ['BangkokHanoiJakarta', 'Asia/Bangkok'],
    ['BeijingChongqingHongKongUrumqi', 'Asia/Shanghai'],
    ['BelgradeBratislavaBudapestLjubljanaPrague', 'Europe/Prague'],
    ['BogotaLimaQuito', 'America/Bogota'],
    ['Brasilia', 'America/Sao_Paulo'],
    ['Brisbane', 'Australia/Brisbane'],
    ['BrusselsCopenhagenMadridParis', 'Europe/Paris'],
    ['Bucharest', 'Europe/Bucharest'],
    ['Cairo', 'Africa/Cairo'],
    ['CanberraMelbourneSydney', 'Australia/Sydney'],
    ['CapeVerdeIsland', 'Atlantic/Cape_Verde'],
    ['CentralAmerica', 'America/Guatemala'],
    ['CentralTimeUSCanada', 'America/Chicago'],
    ['ChennaiKolkataMumbaiNewDelhi', 'Asia/Kolkata'],
    ['Darwin', 'Australia/Darwin'],
    ['EasternTimeUSCanada', 'America/New_York'],
    ['Ekaterinburg', 'Asia/Yekaterinburg'],
    ['Greenland', 'America/Nuuk'],
    ['GreenwichMeanTimeDublinEdinburghLisbonLondon', 'Europe/London'],
    ['GuadalajaraMexicoCityMonterrey', 'America/Mexico_City'],
    ['GuamPortMoresby', 'Pacific/Guam'],
    ['HararePretoria', 'Africa/Johannesburg'],
    ['Hawaii', 'Pacific/Honolulu'],
    ['HelsinkiKyivRigaSofiaTallinnVilnius', 'Europe/Helsinki'],
    ['Hobart', 'Australia/Hobart'],
    ['IndianaEast', 'America/Indiana/Indianapolis'],
    ['InternationalDateLineWest', 'Etc/GMT+12'],
    ['IrkutskUlaanBataar', 'Asia/Irkutsk'],
    ['IslamabadKarachiTashkent', 'Asia/Karachi'],
    ['Jerusalem', 'Asia/Jerusalem'],
    ['Kabul', 'Asia/Kabul'],
    ['Kathmandu', 'Asia/Kathmandu'],
    ['Krasnoyarsk', 'Asia/Krasnoyarsk'],
    ['KualaLumpurSingapore', 'Asia/Singapore'],
    ['KuwaitRiyadh', 'Asia/Riyadh'],
    ['MoscowStPetersburgVolgograd', 'Europe/Moscow'],
    ['MountainTimeUSCanada', 'America/Denver'],
    ['Nairobi', 'Africa/Nairobi'],
    ['Newfoundland', 'America/St_Johns'],
    ['Nukualofa', 'Pacific/Tongatapu'],
    ['OsakaSapporoTokyo', 'Asia/Tokyo'],
    ['PacificTimeUSCanadaTijuana', 'America/Los_Angeles'],
    ['Perth', 'Australia/Perth'],
    ['Rangoon', 'Asia/Yangon'],
    ['Santiago', 'America/Santiago'],
    ['SarajevoSkopjeWarsawZagreb', 'Europe/Warsaw'],
    ['Saskatchewan', 'America/Regina'],
    ['Seoul', 'Asia/Seoul'],
    ['SolomonIslandNewCaledonia', 'Pacific/Guadalcanal'],
    ['SriJayawardenepura', 'Asia/Colombo'],
    ['Taipei', 'Asia/Taipei'],
    ['Tehran', 'Asia/Tehran'],
    ['Vladivostok', 'Asia/Vladivostok'],
    ['WestCentralAfrica', 'Africa/Lagos'],
    ['Yakutsk', 'Asia/Yakutsk'],
] %}

with account_history as (
    select * from {{ source('microsoft_ads', 'account_history') }}
),

final as (
    select
        _raw_id,
        'microsoft_ads' as platform,
        'account' as level,
        id as account_id,
        name as account_name,
        currency_code,
        case time_zone
            {%- for zone in zones %}
            when '{{ zone[0] }}' then '{{ zone[1] }}'
            {%- endfor %}
        end as account_zone,
        time_zone
    from account_history
)

select * from final
