"""Records as Airbyte's Google Ads source types them: one dotted name for each field."""

from martlet.contracts.base import LandedRecord, optional


class Customer(LandedRecord):
    """An account and day as Airbyte types it; source: source-google-ads, stream `customer`."""

    customer_auto_tagging_enabled: bool | None = optional("customer.auto_tagging_enabled")
    customer_call_reporting_setting_call_conversion_action: str | None = optional(
        "customer.call_reporting_setting.call_conversion_action"
    )
    customer_call_reporting_setting_call_conversion_reporting_enabled: bool | None = optional(
        "customer.call_reporting_setting.call_conversion_reporting_enabled"
    )
    customer_call_reporting_setting_call_reporting_enabled: bool | None = optional(
        "customer.call_reporting_setting.call_reporting_enabled"
    )
    customer_conversion_tracking_setting_conversion_tracking_id: int | None = optional(
        "customer.conversion_tracking_setting.conversion_tracking_id"
    )
    customer_conversion_tracking_setting_cross_account_conversion_tracking_id: int | None = (
        optional("customer.conversion_tracking_setting.cross_account_conversion_tracking_id")
    )
    customer_currency_code: str | None = optional("customer.currency_code")
    customer_descriptive_name: str | None = optional("customer.descriptive_name")
    customer_final_url_suffix: str | None = optional("customer.final_url_suffix")
    customer_has_partners_badge: bool | None = optional("customer.has_partners_badge")
    customer_id: int | None = optional("customer.id")
    customer_manager: bool | None = optional("customer.manager")
    customer_optimization_score: float | None = optional("customer.optimization_score")
    customer_optimization_score_weight: float | None = optional(
        "customer.optimization_score_weight"
    )
    customer_pay_per_conversion_eligibility_failure_reasons: list[str] | None = optional(
        "customer.pay_per_conversion_eligibility_failure_reasons"
    )
    customer_remarketing_setting_google_global_site_tag: str | None = optional(
        "customer.remarketing_setting.google_global_site_tag"
    )
    customer_resource_name: str | None = optional("customer.resource_name")
    customer_test_account: bool | None = optional("customer.test_account")
    customer_time_zone: str | None = optional("customer.time_zone")
    customer_tracking_url_template: str | None = optional("customer.tracking_url_template")
    segments_date: str | None = optional("segments.date")


class Campaign(LandedRecord):
    """A campaign, day, hour and network as Airbyte types it; source: stream `campaign`."""

    campaign_accessible_bidding_strategy: str | None = optional(
        "campaign.accessible_bidding_strategy"
    )
    campaign_ad_serving_optimization_status: str | None = optional(
        "campaign.ad_serving_optimization_status"
    )
    campaign_advertising_channel_sub_type: str | None = optional(
        "campaign.advertising_channel_sub_type"
    )
    campaign_advertising_channel_type: str | None = optional("campaign.advertising_channel_type")
    campaign_app_campaign_setting_app_id: str | None = optional(
        "campaign.app_campaign_setting.app_id"
    )
    campaign_app_campaign_setting_app_store: str | None = optional(
        "campaign.app_campaign_setting.app_store"
    )
    campaign_app_campaign_setting_bidding_strategy_goal_type: str | None = optional(
        "campaign.app_campaign_setting.bidding_strategy_goal_type"
    )
    campaign_base_campaign: str | None = optional("campaign.base_campaign")
    campaign_bidding_strategy: str | None = optional("campaign.bidding_strategy")
    campaign_bidding_strategy_type: str | None = optional("campaign.bidding_strategy_type")
    campaign_campaign_budget: str | None = optional("campaign.campaign_budget")
    campaign_budget_amount_micros: int | None = optional("campaign_budget.amount_micros")
    campaign_commission_commission_rate_micros: int | None = optional(
        "campaign.commission.commission_rate_micros"
    )
    campaign_dynamic_search_ads_setting_domain_name: str | None = optional(
        "campaign.dynamic_search_ads_setting.domain_name"
    )
    campaign_dynamic_search_ads_setting_language_code: str | None = optional(
        "campaign.dynamic_search_ads_setting.language_code"
    )
    campaign_dynamic_search_ads_setting_use_supplied_urls_only: bool | None = optional(
        "campaign.dynamic_search_ads_setting.use_supplied_urls_only"
    )
    campaign_end_date_time: str | None = optional("campaign.end_date_time")
    campaign_excluded_parent_asset_field_types: list[str] | None = optional(
        "campaign.excluded_parent_asset_field_types"
    )
    campaign_experiment_type: str | None = optional("campaign.experiment_type")
    campaign_final_url_suffix: str | None = optional("campaign.final_url_suffix")
    campaign_frequency_caps: list[str] | None = optional("campaign.frequency_caps")
    campaign_geo_target_type_setting_negative_geo_target_type: str | None = optional(
        "campaign.geo_target_type_setting.negative_geo_target_type"
    )
    campaign_geo_target_type_setting_positive_geo_target_type: str | None = optional(
        "campaign.geo_target_type_setting.positive_geo_target_type"
    )
    campaign_hotel_setting_hotel_center_id: int | None = optional(
        "campaign.hotel_setting.hotel_center_id"
    )
    campaign_id: int | None = optional("campaign.id")
    campaign_labels: list[str] | None = optional("campaign.labels")
    campaign_local_campaign_setting_location_source_type: str | None = optional(
        "campaign.local_campaign_setting.location_source_type"
    )
    campaign_manual_cpc_enhanced_cpc_enabled: bool | None = optional(
        "campaign.manual_cpc.enhanced_cpc_enabled"
    )
    campaign_manual_cpm: str | None = optional("campaign.manual_cpm")
    campaign_manual_cpv: str | None = optional("campaign.manual_cpv")
    campaign_maximize_conversion_value_target_roas: float | None = optional(
        "campaign.maximize_conversion_value.target_roas"
    )
    campaign_maximize_conversions_target_cpa_micros: int | None = optional(
        "campaign.maximize_conversions.target_cpa_micros"
    )
    campaign_name: str | None = optional("campaign.name")
    campaign_network_settings_target_content_network: bool | None = optional(
        "campaign.network_settings.target_content_network"
    )
    campaign_network_settings_target_google_search: bool | None = optional(
        "campaign.network_settings.target_google_search"
    )
    campaign_network_settings_target_partner_search_network: bool | None = optional(
        "campaign.network_settings.target_partner_search_network"
    )
    campaign_network_settings_target_search_network: bool | None = optional(
        "campaign.network_settings.target_search_network"
    )
    campaign_optimization_goal_setting_optimization_goal_types: list[str] | None = optional(
        "campaign.optimization_goal_setting.optimization_goal_types"
    )
    campaign_optimization_score: float | None = optional("campaign.optimization_score")
    campaign_payment_mode: str | None = optional("campaign.payment_mode")
    campaign_percent_cpc_cpc_bid_ceiling_micros: int | None = optional(
        "campaign.percent_cpc.cpc_bid_ceiling_micros"
    )
    campaign_percent_cpc_enhanced_cpc_enabled: bool | None = optional(
        "campaign.percent_cpc.enhanced_cpc_enabled"
    )
    campaign_real_time_bidding_setting_opt_in: bool | None = optional(
        "campaign.real_time_bidding_setting.opt_in"
    )
    campaign_resource_name: str | None = optional("campaign.resource_name")
    campaign_selective_optimization_conversion_actions: list[str] | None = optional(
        "campaign.selective_optimization.conversion_actions"
    )
    campaign_serving_status: str | None = optional("campaign.serving_status")
    campaign_shopping_setting_campaign_priority: int | None = optional(
        "campaign.shopping_setting.campaign_priority"
    )
    campaign_shopping_setting_enable_local: bool | None = optional(
        "campaign.shopping_setting.enable_local"
    )
    campaign_shopping_setting_merchant_id: int | None = optional(
        "campaign.shopping_setting.merchant_id"
    )
    campaign_start_date_time: str | None = optional("campaign.start_date_time")
    campaign_status: str | None = optional("campaign.status")
    campaign_target_cpa_cpc_bid_ceiling_micros: int | None = optional(
        "campaign.target_cpa.cpc_bid_ceiling_micros"
    )
    campaign_target_cpa_cpc_bid_floor_micros: int | None = optional(
        "campaign.target_cpa.cpc_bid_floor_micros"
    )
    campaign_target_cpa_target_cpa_micros: int | None = optional(
        "campaign.target_cpa.target_cpa_micros"
    )
    campaign_target_cpm_target_frequency_goal_target_count: int | None = optional(
        "campaign.target_cpm.target_frequency_goal.target_count"
    )
    campaign_target_cpm_target_frequency_goal_time_unit: str | None = optional(
        "campaign.target_cpm.target_frequency_goal.time_unit"
    )
    campaign_target_impression_share_cpc_bid_ceiling_micros: int | None = optional(
        "campaign.target_impression_share.cpc_bid_ceiling_micros"
    )
    campaign_target_impression_share_location: str | None = optional(
        "campaign.target_impression_share.location"
    )
    campaign_target_impression_share_location_fraction_micros: int | None = optional(
        "campaign.target_impression_share.location_fraction_micros"
    )
    campaign_target_roas_cpc_bid_ceiling_micros: int | None = optional(
        "campaign.target_roas.cpc_bid_ceiling_micros"
    )
    campaign_target_roas_cpc_bid_floor_micros: int | None = optional(
        "campaign.target_roas.cpc_bid_floor_micros"
    )
    campaign_target_roas_target_roas: float | None = optional("campaign.target_roas.target_roas")
    campaign_target_spend_cpc_bid_ceiling_micros: int | None = optional(
        "campaign.target_spend.cpc_bid_ceiling_micros"
    )
    campaign_target_spend_target_spend_micros: int | None = optional(
        "campaign.target_spend.target_spend_micros"
    )
    campaign_targeting_setting_target_restrictions: list[str] | None = optional(
        "campaign.targeting_setting.target_restrictions"
    )
    campaign_tracking_setting_tracking_url: str | None = optional(
        "campaign.tracking_setting.tracking_url"
    )
    campaign_tracking_url_template: str | None = optional("campaign.tracking_url_template")
    campaign_url_custom_parameters: list[str] | None = optional("campaign.url_custom_parameters")
    campaign_vanity_pharma_vanity_pharma_display_url_mode: str | None = optional(
        "campaign.vanity_pharma.vanity_pharma_display_url_mode"
    )
    campaign_vanity_pharma_vanity_pharma_text: str | None = optional(
        "campaign.vanity_pharma.vanity_pharma_text"
    )
    campaign_video_brand_safety_suitability: str | None = optional(
        "campaign.video_brand_safety_suitability"
    )
    metrics_clicks: int | None = optional("metrics.clicks")
    metrics_ctr: float | None = optional("metrics.ctr")
    metrics_conversions: float | None = optional("metrics.conversions")
    metrics_conversions_value: float | None = optional("metrics.conversions_value")
    metrics_cost_micros: int | None = optional("metrics.cost_micros")
    metrics_impressions: int | None = optional("metrics.impressions")
    metrics_video_trueview_views: int | None = optional("metrics.video_trueview_views")
    metrics_video_quartile_p100_rate: float | None = optional("metrics.video_quartile_p100_rate")
    metrics_active_view_cpm: float | None = optional("metrics.active_view_cpm")
    metrics_active_view_ctr: float | None = optional("metrics.active_view_ctr")
    metrics_active_view_impressions: int | None = optional("metrics.active_view_impressions")
    metrics_active_view_measurability: float | None = optional("metrics.active_view_measurability")
    metrics_active_view_measurable_cost_micros: int | None = optional(
        "metrics.active_view_measurable_cost_micros"
    )
    metrics_active_view_measurable_impressions: int | None = optional(
        "metrics.active_view_measurable_impressions"
    )
    metrics_active_view_viewability: float | None = optional("metrics.active_view_viewability")
    metrics_average_cost: float | None = optional("metrics.average_cost")
    metrics_average_cpc: float | None = optional("metrics.average_cpc")
    metrics_average_cpm: float | None = optional("metrics.average_cpm")
    metrics_interactions: int | None = optional("metrics.interactions")
    metrics_interaction_event_types: list[str] | None = optional("metrics.interaction_event_types")
    metrics_value_per_conversion: float | None = optional("metrics.value_per_conversion")
    metrics_cost_per_conversion: float | None = optional("metrics.cost_per_conversion")
    segments_date: str | None = optional("segments.date")
    segments_hour: int | None = optional("segments.hour")
    segments_ad_network_type: str | None = optional("segments.ad_network_type")


class AdGroup(LandedRecord):
    """An ad group and day as Airbyte types it; source: stream `ad_group`."""

    campaign_id: int | None = optional("campaign.id")
    ad_group_ad_rotation_mode: str | None = optional("ad_group.ad_rotation_mode")
    ad_group_base_ad_group: str | None = optional("ad_group.base_ad_group")
    ad_group_campaign: str | None = optional("ad_group.campaign")
    metrics_cost_micros: int | None = optional("metrics.cost_micros")
    ad_group_cpc_bid_micros: int | None = optional("ad_group.cpc_bid_micros")
    ad_group_cpm_bid_micros: int | None = optional("ad_group.cpm_bid_micros")
    ad_group_cpv_bid_micros: int | None = optional("ad_group.cpv_bid_micros")
    ad_group_display_custom_bid_dimension: str | None = optional(
        "ad_group.display_custom_bid_dimension"
    )
    ad_group_effective_target_cpa_micros: int | None = optional(
        "ad_group.effective_target_cpa_micros"
    )
    ad_group_effective_target_cpa_source: str | None = optional(
        "ad_group.effective_target_cpa_source"
    )
    ad_group_effective_target_roas: float | None = optional("ad_group.effective_target_roas")
    ad_group_effective_target_roas_source: str | None = optional(
        "ad_group.effective_target_roas_source"
    )
    ad_group_excluded_parent_asset_field_types: list[str] | None = optional(
        "ad_group.excluded_parent_asset_field_types"
    )
    ad_group_optimized_targeting_enabled: bool | None = optional(
        "ad_group.optimized_targeting_enabled"
    )
    ad_group_final_url_suffix: str | None = optional("ad_group.final_url_suffix")
    ad_group_id: int | None = optional("ad_group.id")
    ad_group_labels: list[str] | None = optional("ad_group.labels")
    ad_group_name: str | None = optional("ad_group.name")
    ad_group_percent_cpc_bid_micros: int | None = optional("ad_group.percent_cpc_bid_micros")
    ad_group_resource_name: str | None = optional("ad_group.resource_name")
    ad_group_status: str | None = optional("ad_group.status")
    ad_group_target_cpa_micros: int | None = optional("ad_group.target_cpa_micros")
    ad_group_target_cpm_micros: int | None = optional("ad_group.target_cpm_micros")
    ad_group_target_roas: float | None = optional("ad_group.target_roas")
    ad_group_targeting_setting_target_restrictions: list[str] | None = optional(
        "ad_group.targeting_setting.target_restrictions"
    )
    ad_group_tracking_url_template: str | None = optional("ad_group.tracking_url_template")
    ad_group_type: str | None = optional("ad_group.type")
    ad_group_url_custom_parameters: list[str] | None = optional("ad_group.url_custom_parameters")
    segments_date: str | None = optional("segments.date")


class AdPerformance(LandedRecord):
    """Metrics of one ad, day, network and device as Airbyte types them.

    Cost and every average and cost-per ratio are micros of the account's currency.
    """

    customer_id: int | None = optional("customer.id")
    customer_descriptive_name: str | None = optional("customer.descriptive_name")
    customer_currency_code: str | None = optional("customer.currency_code")
    customer_time_zone: str | None = optional("customer.time_zone")
    campaign_id: int | None = optional("campaign.id")
    campaign_name: str | None = optional("campaign.name")
    campaign_status: str | None = optional("campaign.status")
    ad_group_id: int | None = optional("ad_group.id")
    ad_group_name: str | None = optional("ad_group.name")
    ad_group_status: str | None = optional("ad_group.status")
    ad_group_ad_ad_group: str | None = optional("ad_group_ad.ad_group")
    ad_group_ad_ad_final_urls: list[str] | None = optional("ad_group_ad.ad.final_urls")
    ad_group_ad_ad_id: int | None = optional("ad_group_ad.ad.id")
    ad_group_ad_ad_name: str | None = optional("ad_group_ad.ad.name")
    ad_group_ad_ad_type: str | None = optional("ad_group_ad.ad.type")
    ad_group_ad_status: str | None = optional("ad_group_ad.status")
    segments_date: str | None = optional("segments.date")
    segments_day_of_week: str | None = optional("segments.day_of_week")
    segments_week: str | None = optional("segments.week")
    segments_month: str | None = optional("segments.month")
    segments_quarter: str | None = optional("segments.quarter")
    segments_year: int | None = optional("segments.year")
    segments_ad_network_type: str | None = optional("segments.ad_network_type")
    segments_device: str | None = optional("segments.device")
    metrics_clicks: int | None = optional("metrics.clicks")
    metrics_impressions: int | None = optional("metrics.impressions")
    metrics_ctr: float | None = optional("metrics.ctr")
    metrics_average_cpc: float | None = optional("metrics.average_cpc")
    metrics_average_cpm: float | None = optional("metrics.average_cpm")
    metrics_trueview_average_cpv: float | None = optional("metrics.trueview_average_cpv")
    metrics_average_cost: float | None = optional("metrics.average_cost")
    metrics_cost_micros: int | None = optional("metrics.cost_micros")
    metrics_interactions: int | None = optional("metrics.interactions")
    metrics_interaction_rate: float | None = optional("metrics.interaction_rate")
    metrics_interaction_event_types: list[str] | None = optional("metrics.interaction_event_types")
    metrics_engagements: int | None = optional("metrics.engagements")
    metrics_engagement_rate: float | None = optional("metrics.engagement_rate")
    metrics_active_view_impressions: int | None = optional("metrics.active_view_impressions")
    metrics_active_view_measurable_impressions: int | None = optional(
        "metrics.active_view_measurable_impressions"
    )
    metrics_active_view_measurability: float | None = optional("metrics.active_view_measurability")
    metrics_active_view_measurable_cost_micros: int | None = optional(
        "metrics.active_view_measurable_cost_micros"
    )
    metrics_active_view_cpm: float | None = optional("metrics.active_view_cpm")
    metrics_active_view_ctr: float | None = optional("metrics.active_view_ctr")
    metrics_active_view_viewability: float | None = optional("metrics.active_view_viewability")
    metrics_conversions: float | None = optional("metrics.conversions")
    metrics_conversions_value: float | None = optional("metrics.conversions_value")
    metrics_conversions_from_interactions_rate: float | None = optional(
        "metrics.conversions_from_interactions_rate"
    )
    metrics_conversions_by_conversion_date: float | None = optional(
        "metrics.conversions_by_conversion_date"
    )
    metrics_cost_per_conversion: float | None = optional("metrics.cost_per_conversion")
    metrics_value_per_conversion: float | None = optional("metrics.value_per_conversion")
    metrics_all_conversions: float | None = optional("metrics.all_conversions")
    metrics_all_conversions_value: float | None = optional("metrics.all_conversions_value")
    metrics_all_conversions_from_interactions_rate: float | None = optional(
        "metrics.all_conversions_from_interactions_rate"
    )
    metrics_cost_per_all_conversions: float | None = optional("metrics.cost_per_all_conversions")
    metrics_value_per_all_conversions: float | None = optional("metrics.value_per_all_conversions")
    metrics_cross_device_conversions: float | None = optional("metrics.cross_device_conversions")
    metrics_view_through_conversions: int | None = optional("metrics.view_through_conversions")
    metrics_video_trueview_views: int | None = optional("metrics.video_trueview_views")
    metrics_video_trueview_view_rate: float | None = optional("metrics.video_trueview_view_rate")
    metrics_video_quartile_p25_rate: float | None = optional("metrics.video_quartile_p25_rate")
    metrics_video_quartile_p50_rate: float | None = optional("metrics.video_quartile_p50_rate")
    metrics_video_quartile_p75_rate: float | None = optional("metrics.video_quartile_p75_rate")
    metrics_video_quartile_p100_rate: float | None = optional("metrics.video_quartile_p100_rate")
    metrics_top_impression_percentage: float | None = optional("metrics.top_impression_percentage")
    metrics_absolute_top_impression_percentage: float | None = optional(
        "metrics.absolute_top_impression_percentage"
    )
