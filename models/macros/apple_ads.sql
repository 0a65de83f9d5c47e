{#- What the reports of Apple Search Ads have in common. -#}

{#- The figures of record. Conversions are installs after a tap, by their new name or the one
    before. -#}
{%- macro apple_figures() -%}
impressions,
        taps as clicks,
        local_spend_amount as spend_amount,
        local_spend_currency as currency_code,
        coalesce(tap_installs, conversions) as platform_conversions
{%- endmacro -%}

{#- The installs by their kinds. -#}
{%- macro apple_installs() -%}
coalesce(tap_new_downloads, new_downloads) as new_downloads,
        coalesce(tap_redownloads, redownloads) as redownloads,
        view_installs,
        total_installs,
        lat_on_installs,
        lat_off_installs
{%- endmacro -%}
