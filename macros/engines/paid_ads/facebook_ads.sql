{# Facebook's slice of the account: everything, or all but Instagram's where that is a source too. #}
{% macro engine_facebook_ads(tenant, sources) %}
{%- set slice = "publisher_platform is distinct from 'instagram'" if 'instagram_ads' in sources else 'true' -%}
{{ meta_insights(tenant, 'facebook_ads', slice) }}
{% endmacro %}


{% macro campaigns_facebook_ads(tenant, sources) %}
{{ meta_campaigns(tenant, 'facebook_ads') }}
{% endmacro %}
