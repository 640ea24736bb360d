{#
    Of several reports on one campaign's day, the finest: ad before ad_group before campaign. Each
    report is its own truth and they are never added; a campaign that has no ads to report on
    (Performance Max) keeps its campaign row. `relation` has connection, campaign_id, report_date
    and grain.
#}
{% macro finest_grain(relation) %}
select *
from {{ relation }}
qualify
    case grain when 'ad' then 1 when 'ad_group' then 2 else 3 end
    = min(case grain when 'ad' then 1 when 'ad_group' then 2 else 3 end) over (
        partition by connection, campaign_id, report_date
    )
{%- endmacro %}
