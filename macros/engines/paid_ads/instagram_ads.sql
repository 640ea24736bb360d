{#
    Instagram's slice of the account. Without the breakdown a row cannot be told apart: it is taken
    as Instagram's only where Facebook, who would count it too, is no source of the tenant.
#}
{% macro engine_instagram_ads(tenant, sources) %}
{%- set slice = "publisher_platform = 'instagram'" if 'facebook_ads' in sources else "coalesce(publisher_platform = 'instagram', true)" -%}
{{ meta_insights(tenant, 'instagram_ads', slice) }}
{% endmacro %}


{% macro campaigns_instagram_ads(tenant, sources) %}
{{ meta_campaigns(tenant, 'instagram_ads') }}
{% endmacro %}
