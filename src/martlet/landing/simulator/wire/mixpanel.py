"""Mixpanel's export: everything under `properties`, time in whole seconds, no session."""

# Before a login `distinct_id` is the device, after it the user: one visit may have both. Who gave
# no consent has an empty one and no device. An insert id repeats on other days.
OBJECTS: dict[str, str] = {
    "events": """
        select
            event_name as event,
            to_json({
                'time': cast(epoch(date_trunc('second', occurred_at)) as bigint),
                'distinct_id': coalesce(user_id, '$device:' || user_pseudo_id, ''),
                '$insert_id': left(md5(cast(cast(event_id as bigint) % 1000000007 as varchar)), 16),
                '$device_id': user_pseudo_id,
                '$user_id': user_id,
                '$browser': 'Chrome',
                '$device': device_category,
                '$current_url': page_location,
                '$initial_referrer': 'https://earlier.example/',
                'mp_country_code': country,
                'utm_source': utm_source,
                'utm_medium': utm_medium,
                'utm_campaign': utm_campaign,
                'transaction_id': transaction_id,
                'revenue': revenue,
                'currency': currency,
                'mp_lib': 'web',
                'mp_processing_time_ms': epoch_ms(occurred_at) + 4000
            }) as properties,
        from event
    """,
    "people": """
        select
            '$device:' || user_pseudo_id as "$distinct_id",
            to_json({
                '$email': email,
                '$name': first_name || ' ' || last_name,
                '$first_name': first_name,
                '$last_name': last_name,
                '$last_seen': strftime(last_seen_at, '%Y-%m-%dT%H:%M:%S'),
                '$city': city,
                '$country_code': country,
                '123': 'a free key'
            }) as "$properties",
        from person
    """,
}
