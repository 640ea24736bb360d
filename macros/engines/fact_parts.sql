{#
    How the fact of a platform falls into parts. Rows of different parts are computed from different
    records, so that a part can be rebuilt from its own records alone. Every object that the engine
    reads is one of:

        records   `columns` to unpack, and over them `part`, the text of the record's part (null is
                  in none), and `link`: parts with records of one link are decided together
        lookups   rows that the engine joins: by `key`, which the fact has as `fact_key`, it `reads`
                  these columns of them

    `fact_part` is the part of a row of the fact. A platform that is missing here is always rebuilt
    in full.
#}
{% macro fact_parts(fact, platform) %}
    {% if fact == 'ad_performance' %}
        {{ return(ad_performance_parts(platform)) }}
    {% elif fact == 'orders' %}
        {{ return(orders_parts(platform)) }}
    {% elif fact == 'sessions' %}
        {{ return(sessions_parts(platform)) }}
    {% endif %}
    {{ return(none) }}
{% endmacro %}


{# A part is a day of a connection: no engine of ads looks further. #}
{% macro ad_performance_parts(platform) %}
    {% set day = "coalesce(cast(report_date as varchar), '')" %}
    {% set report = {'columns': ['report_date'], 'part': day, 'link': 'null'} %}
    {% set records = {
        'facebook_ads': ['facebook_insights'],
        'instagram_ads': ['facebook_insights'],
        'google_ads': ['ad_performance', 'campaigns'],
        'bing_ads': ['ad_performance_report'],
        'linkedin_ads': ['ad_analytics', 'ad_analytics_by_campaign'],
        'amazon_ads': ['sponsored_products_advertised_product_report'],
        'tiktok_ads': ['ads_reports_daily'],
    } %}
    {% set lookups = {
        'google_ads': {'customers': {
            'key': 'account_id', 'fact_key': 'account_id', 'reads': ['currency', 'time_zone'],
        }},
        'linkedin_ads': {'campaigns': {
            'key': 'ad_group_id', 'fact_key': 'ad_group_id', 'reads': ['account_urn', 'campaign_urn', 'currency'],
        }},
        'tiktok_ads': {'ads': {
            'key': 'ad_id', 'fact_key': 'ad_id', 'reads': ['account_id', 'campaign_id', 'ad_group_id'],
        }},
    } %}
    {% if platform not in records %}
        {{ return(none) }}
    {% endif %}
    {% set of_objects = {} %}
    {% for object in records[platform] %}
        {% do of_objects.update({object: report}) %}
    {% endfor %}
    {{ return({'records': of_objects, 'lookups': lookups.get(platform, {}), 'fact_part': day}) }}
{% endmacro %}


{# The rows of a lookup as its engine sees them. #}
{% macro lookup_rows(platform, object, relation) -%}
    {%- if platform == 'google_ads' and object == 'customers' -%}
        {{ newest_google_accounts(relation) }}
    {%- else -%}
        select * from {{ relation }}
    {%- endif -%}
{%- endmacro %}


{# A part is an order. #}
{% macro orders_parts(platform) %}
    {% if platform not in ('shopify', 'bigcommerce', 'woocommerce') %}
        {{ return(none) }}
    {% endif %}
    {% set part = "coalesce(order_id, '')" %}
    {{ return({
        'records': {'orders': {'columns': ['order_id'], 'part': part, 'link': 'null'}},
        'lookups': {},
        'fact_part': part,
    }) }}
{% endmacro %}


{#
    A part is a session, where events name theirs, and a visitor where a pause ends it. One purchase
    counts once, whatever sessions it was seen in: it links them.
#}
{% macro sessions_parts(platform) %}
    {% if platform == 'google_analytics' %}
        {% set events = {
            'columns': ['user_pseudo_id', 'ga_session_id', 'transaction_id', 'param_transaction_id'],
            'part': "user_pseudo_id || '.' || ga_session_id",
            'link': 'coalesce(' ~ ga_stated('transaction_id') ~ ', ' ~ ga_stated('param_transaction_id') ~ ')',
        } %}
        {{ return({'records': {'events': events}, 'lookups': {}, 'fact_part': 'session_id'}) }}
    {% elif platform == 'amplitude' %}
        {% set events = {
            'columns': ['amplitude_id', 'session_start_ms', 'transaction_id'],
            'part': "case when session_start_ms > 0 then amplitude_id || '.' || session_start_ms end",
            'link': "nullif(transaction_id, '')",
        } %}
        {{ return({'records': {'events': events}, 'lookups': {}, 'fact_part': 'session_id'}) }}
    {% elif platform == 'mixpanel' %}
        {% set events = {
            'columns': ['device_id', 'distinct_id', 'transaction_id'],
            'part': "coalesce(nullif(device_id, ''), nullif(distinct_id, ''))",
            'link': "nullif(transaction_id, '')",
        } %}
        {{ return({'records': {'events': events}, 'lookups': {}, 'fact_part': 'user_pseudo_id'}) }}
    {% endif %}
    {{ return(none) }}
{% endmacro %}
