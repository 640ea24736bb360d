{#
    The rows of a table that break its grain: two agree in the whole key, or a column of it is null
    that may not be. Nulls of `optional_key` count as equal.
#}
{% test one_row_per_grain(model, key, optional_key=[]) %}
select {{ (key + optional_key) | join(', ') }}, count(*) as row_count
from {{ model }}
group by {{ (key + optional_key) | join(', ') }}
having count(*) > 1
{%- for column in key %} or {{ column }} is null{% endfor %}
{% endtest %}
