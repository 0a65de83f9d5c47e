{#- What the audit of utm tags asks of a value. -#}

{#- A template that nobody filled in: `{campaign.name}`, `[CAMPAIGN]`, `%keyword%`. -#}
{%- macro is_unfilled(value) -%}
coalesce(regexp_like({{ value }}, '[{}]|^\[.*\]$|^%.*%$|^__.*__$|^<.*>$'), false)
{%- endmacro -%}

{#- Whether the rules know a medium by itself, whatever the source. -#}
{%- macro is_known_medium(medium) -%}
channel_group('a source of no list', {{ medium }}, null) <> 'Unassigned'
{%- endmacro -%}

{#- So many letters may differ in a value that is taken for a slip of another one. -#}
{%- macro slips_max(value) -%}
case when length({{ value }}) <= 3 then 1 when length({{ value }}) <= 12 then 2 else 4 end
{%- endmacro -%}

{#- What to do about a finding of the audit. -#}
{%- macro utm_advice(finding, suggestion) -%}
case
            when {{ finding }} in ('misspelt medium', 'misspelt source')
                then concat('correct the links: `', {{ suggestion }}, '` was meant')
            when {{ finding }} = 'unknown medium'
                then 'no rule knows this medium: use one of GA4''s in the links, or add a row to '
                || 'the seed `channel_rule` and look with `throughline channels preview`'
            when {{ finding }} = 'paid medium on unlisted source'
                then 'the visits are Paid Other: use the platform''s usual name in the links, or '
                || 'add the source to the seed `channel_source`'
            when {{ finding }} = 'no source' then 'add utm_source to the links'
            when {{ finding }} = 'no medium'
                then 'add utm_medium to the links: without it a paid visit counts as an unpaid one'
            when {{ finding }} = 'no campaign'
                then 'add utm_campaign, or the campaign''s id as utm_id, to the links'
            when {{ finding }} = 'template not filled in'
                then 'the link carries the name of a placeholder: correct it in the ad or the '
                || 'mailing, and send a test click'
            when {{ finding }} = 'campaign that no platform knows' and {{ suggestion }} is not null
                then concat('correct the links: the platform calls it `', {{ suggestion }}, '`')
            when {{ finding }} = 'campaign that no platform knows'
                then 'load the ad account that runs it, or tag the links with the name or the id '
                || 'that the platform has'
            when {{ finding }} = 'paid landing page without tags'
                then 'add utm parameters to the ads that lead here, or load the platform''s click '
                || 'report'
            when {{ finding }} = 'click id without tags'
                then 'this id stands on ads and on posts: tag the ads, so that they can be told '
                || 'from posts'
            when {{ finding }} = 'spend without visits' and {{ suggestion }} is not null
                then concat('visits with utm_campaign `', {{ suggestion }},
                    '` look like it: correct the links')
            when {{ finding }} = 'spend without visits'
                then 'nobody was seen to come from it: tag its ads with its name or its id, load '
                || 'its clicks, or check that the landing pages carry the tracker'
            else 'write it one way: other tools show each spelling as a row of its own'
        end
{%- endmacro -%}
