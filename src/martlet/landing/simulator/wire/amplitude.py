"""Amplitude's export: moments as texts, sessions by the millisecond, ids beyond 2^53."""


def _moment(expression: str) -> str:
    return f"strftime({expression}, '%Y-%m-%d %H:%M:%S.%f')"


def _amplitude_id(text: str) -> str:
    return f"9007199254740993 + cast(md5_number_lower({text}) >> 3 as bigint)"


# Who gave no consent has neither device nor session, yet an id, as everybody at Amplitude. What
# an engine must not read differs from what it must: the device's own clock, the user's campaign
# of an earlier visit, and price times quantity where the revenue is stated.
OBJECTS: dict[str, str] = {
    "events": f"""
        select
            cast(cast(md5(event_id) as uuid) as varchar) as uuid,
            'i' || event_id as "$insert_id",
            123456 as app,
            event_name as event_type,
            {_moment("occurred_at")} as event_time,
            {_moment("occurred_at - interval 5 hours")} as client_event_time,
            {_moment("occurred_at - interval 5 hours")} as client_upload_time,
            {_moment("occurred_at + interval 4 seconds")} as server_received_time,
            {_moment("occurred_at + interval 5 seconds")} as server_upload_time,
            {_moment("occurred_at + interval 9 seconds")} as processed_time,
            {_amplitude_id("coalesce(user_pseudo_id, 'nobody ' || person_key)")} as amplitude_id,
            user_id,
            user_pseudo_id as device_id,
            case when user_pseudo_id is null then -1 else epoch_ms(session_started_at) end
                as session_id,
            cast(event_id as bigint) % 1000 as event_id,
            'Web' as platform,
            device_category as device_type,
            country,
            'amplitude-ts/2.11.0' as library,
            false as is_attribution_event,
            to_json({{
                '[Amplitude] Page URL': page_location,
                'utm_source': utm_source,
                'utm_medium': utm_medium,
                'utm_campaign': utm_campaign,
                'transaction_id': transaction_id,
                '$revenue': revenue,
                '$price': revenue,
                '$quantity': case when revenue is not null then 3 end,
                '$currency': currency
            }}) as event_properties,
            json_object(
                'utm_source', 'earlier.example', 'utm_medium', 'referral',
                'utm_campaign', 'an earlier visit', 'City', 'A', 'city', 'B'
            ) as user_properties,
            to_json({{'path': '/batch'}}) as data,
        from event
    """,
    "users": f"""
        select
            {_amplitude_id("user_pseudo_id")} as amplitude_id,
            user_pseudo_id as device_id,
            {_moment("first_seen_at")} as user_creation_time,
            country,
            city,
            'English' as language,
            'Web' as platform,
            false as paying,
            to_json({{'email': email, 'first_name': first_name, 'last_name': last_name}})
                as user_properties,
        from person
    """,
}
