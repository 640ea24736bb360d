"""GA4's BigQuery export: one row an event, parameters as key/value lists, microseconds."""

_PARAM = "{{'key': '{key}', 'value': {{'string_value': {text}, 'int_value': {number}}}}}"


def _text(key: str, expression: str) -> str:
    return _PARAM.format(key=key, text=expression, number="cast(null as bigint)")


def _number(key: str, expression: str) -> str:
    return _PARAM.format(key=key, text="cast(null as varchar)", number=expression)


# Source, medium and campaign are what the event itself carried; direct visits carry none. The
# user's first touch (`traffic_source`) is something else on purpose: an engine that reads it is
# caught.
OBJECTS: dict[str, str] = {
    "events": f"""
        select
            strftime((occurred_at at time zone 'UTC') at time zone c.timezone, '%Y%m%d') as event_date,
            epoch_us(occurred_at) as event_timestamp,
            event_name,
            to_json([
                {_number("ga_session_id", "ga_session_id")},
                {_number("ga_session_number", "session_number")},
                {_text("page_location", "page_location")},
                {_text("currency", "event.currency")},
                {_text("session_engaged", "'1'")}
            ]) as event_params,
            event_name = 'session_start' and session_number = 1 as is_active_user,
            user_id,
            user_pseudo_id,
            to_json({{'analytics_storage': case when user_pseudo_id is null then 'No' else 'Yes' end}})
                as privacy_info,
            to_json({{'category': device_category, 'language': 'en-us'}}) as device,
            to_json({{'country': country}}) as geo,
            to_json({{'name': '(referral)', 'medium': 'referral', 'source': 'first.example'}})
                as traffic_source,
            case when utm_source is not null then to_json({{
                'manual_source': utm_source, 'manual_medium': utm_medium,
                'manual_campaign_name': utm_campaign
            }}) end as collected_traffic_source,
            case when event_name = 'purchase' then to_json({{
                'transaction_id': transaction_id, 'purchase_revenue': revenue
            }}) end as ecommerce,
            '1234567' as stream_id,
            'WEB' as platform,
        from event
        cross join context as c
    """,
}
