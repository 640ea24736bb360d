{#
    Many fields of one document, as the texts that `->>` gives, for one parse.

    `json_plan` sorts the paths once: those that one nested type can hold go to `tree`, in which an
    object is a mapping by lower-case name of its members; the few others to `rest`, a list of paths
    (an index, an object of which members are read too, names that differ in case only: the engine
    has no type for them). `lists` ({path: fields}) are read as lists of {key, value: {<fields>}}
    objects, and typed in the tree unless their text is read too. `json_parsed` gives the columns that
    hold it all, `json_field` the text of one path of them.
#}
{% macro json_plan(paths, lists={}) %}
    {% set plan = {'tree': {}, 'places': {}, 'rest': [], 'lists': []} %}
    {% set steps = {} %}
    {% for path in paths + lists.keys() | list %}
        {% do steps.update({path: json_steps(path)}) %}
    {% endfor %}
    {# The deepest first: where an object and its members are read, the members fit the type. #}
    {% for length in steps.values() | map('length') | unique | sort(reverse=true) %}
        {% for path, names in steps.items() if names | length == length %}
            {% set fields = lists.get(path) if path not in paths %}
            {% if not names or not json_grow(plan, path, names, fields) %}
                {% do plan.rest.append(path) %}
            {% elif fields %}
                {% do plan.lists.append(path) %}
            {% endif %}
        {% endfor %}
    {% endfor %}
    {{ return(plan) }}
{% endmacro %}


{# The names that a path goes through, none when it is not made of names alone. #}
{% macro json_steps(path) %}
    {% set name = '\\.(?:\\w+|"[^"\\\\]+")' %}
    {% if not modules.re.fullmatch('\\$(?:' ~ name ~ ')+', path) %}
        {{ return([]) }}
    {% endif %}
    {% set names = [] %}
    {% for step in modules.re.findall(name, path) %}
        {% do names.append(step[1:].strip('"')) %}
    {% endfor %}
    {{ return(names) }}
{% endmacro %}


{# Put a path into the plan's tree, or say that it does not fit. #}
{% macro json_grow(plan, path, names, fields) %}
    {% set at = namespace(node=plan.tree, fits=true) %}
    {% for name in names if at.fits %}
        {% set known = at.node.get(name | lower) %}
        {% if known and (known.name != name or loop.last or not known.members) %}
            {% set at.fits = false %}
        {% elif not known %}
            {% set known = {'name': name, 'members': none if loop.last else {}, 'fields': fields if loop.last} %}
            {% do at.node.update({name | lower: known}) %}
        {% endif %}
        {% set at.node = known.members %}
    {% endfor %}
    {% if at.fits %}
        {% do plan.places.update({path: names}) %}
    {% endif %}
    {{ return(at.fits) }}
{% endmacro %}


{#
    An expression that is computed once a row, whatever is asked of it. A filter is pushed below the
    columns that it reads: a parse would be done for the filter, and again for the rows. A volatile
    condition keeps it in its place; where nothing of it is read it is dropped as any column is.
#}
{% macro once(expression) -%}
    {{ return(adapter.dispatch('once', 'martlet')(expression)) }}
{%- endmacro %}

{% macro default__once(expression) -%}
    case when random() >= 0 then {{ expression }} end
{%- endmacro %}


{# The columns `_f` and `_rest` that hold a parsed document, one of them or both. #}
{% macro json_parsed(expression, plan) -%}
    {{ return(adapter.dispatch('json_parsed', 'martlet')(expression, plan)) }}
{%- endmacro %}

{% macro default__json_parsed(expression, plan) -%}
    {%- if plan.tree %}
        {{ once('from_json(' ~ expression ~ ", '" ~ json_type_text(plan.tree) ~ "')") }} as _f,
    {%- endif %}
    {%- if plan.rest %}
        {{ once(expression ~ ' ->> [' ~ sql_literals(plan.rest) ~ ']') }} as _rest,
    {%- endif %}
{%- endmacro %}


{% macro json_type_text(tree) -%}
    {%- set members = [] -%}
    {%- for node in tree.values() -%}
        {%- if node.members is not none -%}
            {%- set type = json_type_text(node.members) -%}
        {%- elif node.fields -%}
            {%- set type = json_key_values_type(node.fields) -%}
        {%- else -%}
            {%- set type = '"VARCHAR"' -%}
        {%- endif -%}
        {%- do members.append(tojson(node.name) | replace("'", "''") ~ ': ' ~ type) -%}
    {%- endfor -%}
    {{ '{' ~ members | join(', ') ~ '}' }}
{%- endmacro %}


{#
    The text of one path, as `->>` gives it. A nested type spells very large and very small
    fractions otherwise (1e+23, 1e23). Where the spelling counts, not the number, those are read
    again; digits come before ':', so most texts cost one comparison.
#}
{% macro json_field(expression, plan, path, spelled=true) -%}
    {{ return(adapter.dispatch('json_field', 'martlet')(expression, plan, path, spelled)) }}
{%- endmacro %}

{% macro default__json_field(expression, plan, path, spelled) -%}
    {%- if path not in plan.places -%}
        _rest[{{ plan.rest.index(path) + 1 }}]
    {%- else -%}
        {%- set text = '_f' ~ json_place(plan, path) -%}
        {%- if spelled -%}
            case
                when {{ text }} < ':' and contains({{ text }}, 'e') and regexp_full_match({{ text }}, '-?[0-9.]+e[+-][0-9]+')
                    then {{ json_text(expression, path | replace("'", "''")) }}
                else {{ text }}
            end
        {%- else -%}
            {{ text }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{% macro json_place(plan, path) -%}
    {%- for name in plan.places[path] -%}['{{ name | replace("'", "''") }}']{%- endfor -%}
{%- endmacro %}
