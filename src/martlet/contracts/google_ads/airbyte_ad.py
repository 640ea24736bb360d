"""The ad as Airbyte's Google Ads source types it: one column for each field of each format."""

from martlet.contracts.base import LandedRecord, optional


class Ad(LandedRecord):
    """An ad and day as Airbyte types it; source: stream `ad_group_ad`."""

    ad_group_id: int | None = optional("ad_group.id")
    ad_group_ad_ad_added_by_google_ads: bool | None = optional("ad_group_ad.ad.added_by_google_ads")
    ad_group_ad_ad_app_ad_descriptions: list[str] | None = optional(
        "ad_group_ad.ad.app_ad.descriptions"
    )
    ad_group_ad_ad_app_ad_headlines: list[str] | None = optional("ad_group_ad.ad.app_ad.headlines")
    ad_group_ad_ad_app_ad_html5_media_bundles: list[str] | None = optional(
        "ad_group_ad.ad.app_ad.html5_media_bundles"
    )
    ad_group_ad_ad_app_ad_images: list[str] | None = optional("ad_group_ad.ad.app_ad.images")
    ad_group_ad_ad_app_ad_mandatory_ad_text: str | None = optional(
        "ad_group_ad.ad.app_ad.mandatory_ad_text"
    )
    ad_group_ad_ad_app_ad_youtube_videos: list[str] | None = optional(
        "ad_group_ad.ad.app_ad.youtube_videos"
    )
    ad_group_ad_ad_app_engagement_ad_descriptions: list[str] | None = optional(
        "ad_group_ad.ad.app_engagement_ad.descriptions"
    )
    ad_group_ad_ad_app_engagement_ad_headlines: list[str] | None = optional(
        "ad_group_ad.ad.app_engagement_ad.headlines"
    )
    ad_group_ad_ad_app_engagement_ad_images: list[str] | None = optional(
        "ad_group_ad.ad.app_engagement_ad.images"
    )
    ad_group_ad_ad_app_engagement_ad_videos: list[str] | None = optional(
        "ad_group_ad.ad.app_engagement_ad.videos"
    )
    ad_group_ad_ad_device_preference: str | None = optional("ad_group_ad.ad.device_preference")
    ad_group_ad_ad_display_upload_ad_display_upload_product_type: str | None = optional(
        "ad_group_ad.ad.display_upload_ad.display_upload_product_type"
    )
    ad_group_ad_ad_display_upload_ad_media_bundle: str | None = optional(
        "ad_group_ad.ad.display_upload_ad.media_bundle"
    )
    ad_group_ad_ad_display_url: str | None = optional("ad_group_ad.ad.display_url")
    ad_group_ad_ad_expanded_dynamic_search_ad_description: str | None = optional(
        "ad_group_ad.ad.expanded_dynamic_search_ad.description"
    )
    ad_group_ad_ad_expanded_dynamic_search_ad_description2: str | None = optional(
        "ad_group_ad.ad.expanded_dynamic_search_ad.description2"
    )
    ad_group_ad_ad_expanded_text_ad_description: str | None = optional(
        "ad_group_ad.ad.expanded_text_ad.description"
    )
    ad_group_ad_ad_expanded_text_ad_description2: str | None = optional(
        "ad_group_ad.ad.expanded_text_ad.description2"
    )
    ad_group_ad_ad_expanded_text_ad_headline_part1: str | None = optional(
        "ad_group_ad.ad.expanded_text_ad.headline_part1"
    )
    ad_group_ad_ad_expanded_text_ad_headline_part2: str | None = optional(
        "ad_group_ad.ad.expanded_text_ad.headline_part2"
    )
    ad_group_ad_ad_expanded_text_ad_headline_part3: str | None = optional(
        "ad_group_ad.ad.expanded_text_ad.headline_part3"
    )
    ad_group_ad_ad_expanded_text_ad_path1: str | None = optional(
        "ad_group_ad.ad.expanded_text_ad.path1"
    )
    ad_group_ad_ad_expanded_text_ad_path2: str | None = optional(
        "ad_group_ad.ad.expanded_text_ad.path2"
    )
    ad_group_ad_ad_final_app_urls: list[str] | None = optional("ad_group_ad.ad.final_app_urls")
    ad_group_ad_ad_final_mobile_urls: list[str] | None = optional(
        "ad_group_ad.ad.final_mobile_urls"
    )
    ad_group_ad_ad_final_url_suffix: str | None = optional("ad_group_ad.ad.final_url_suffix")
    ad_group_ad_ad_final_urls: list[str] | None = optional("ad_group_ad.ad.final_urls")
    ad_group_ad_ad_hotel_ad: str | None = optional("ad_group_ad.ad.hotel_ad")
    ad_group_ad_ad_id: int | None = optional("ad_group_ad.ad.id")
    ad_group_ad_ad_image_ad_image_url: str | None = optional("ad_group_ad.ad.image_ad.image_url")
    ad_group_ad_ad_image_ad_mime_type: str | None = optional("ad_group_ad.ad.image_ad.mime_type")
    ad_group_ad_ad_image_ad_name: str | None = optional("ad_group_ad.ad.image_ad.name")
    ad_group_ad_ad_image_ad_pixel_height: int | None = optional(
        "ad_group_ad.ad.image_ad.pixel_height"
    )
    ad_group_ad_ad_image_ad_pixel_width: int | None = optional(
        "ad_group_ad.ad.image_ad.pixel_width"
    )
    ad_group_ad_ad_image_ad_preview_image_url: str | None = optional(
        "ad_group_ad.ad.image_ad.preview_image_url"
    )
    ad_group_ad_ad_image_ad_preview_pixel_height: int | None = optional(
        "ad_group_ad.ad.image_ad.preview_pixel_height"
    )
    ad_group_ad_ad_image_ad_preview_pixel_width: int | None = optional(
        "ad_group_ad.ad.image_ad.preview_pixel_width"
    )
    ad_group_ad_ad_legacy_app_install_ad: str | None = optional(
        "ad_group_ad.ad.legacy_app_install_ad"
    )
    ad_group_ad_ad_legacy_responsive_display_ad_accent_color: str | None = optional(
        "ad_group_ad.ad.legacy_responsive_display_ad.accent_color"
    )
    ad_group_ad_ad_legacy_responsive_display_ad_allow_flexible_color: bool | None = optional(
        "ad_group_ad.ad.legacy_responsive_display_ad.allow_flexible_color"
    )
    ad_group_ad_ad_legacy_responsive_display_ad_business_name: str | None = optional(
        "ad_group_ad.ad.legacy_responsive_display_ad.business_name"
    )
    ad_group_ad_ad_legacy_responsive_display_ad_call_to_action_text: str | None = optional(
        "ad_group_ad.ad.legacy_responsive_display_ad.call_to_action_text"
    )
    ad_group_ad_ad_legacy_responsive_display_ad_description: str | None = optional(
        "ad_group_ad.ad.legacy_responsive_display_ad.description"
    )
    ad_group_ad_ad_legacy_responsive_display_ad_format_setting: str | None = optional(
        "ad_group_ad.ad.legacy_responsive_display_ad.format_setting"
    )
    ad_group_ad_ad_legacy_responsive_display_ad_logo_image: str | None = optional(
        "ad_group_ad.ad.legacy_responsive_display_ad.logo_image"
    )
    ad_group_ad_ad_legacy_responsive_display_ad_long_headline: str | None = optional(
        "ad_group_ad.ad.legacy_responsive_display_ad.long_headline"
    )
    ad_group_ad_ad_legacy_responsive_display_ad_main_color: str | None = optional(
        "ad_group_ad.ad.legacy_responsive_display_ad.main_color"
    )
    ad_group_ad_ad_legacy_responsive_display_ad_marketing_image: str | None = optional(
        "ad_group_ad.ad.legacy_responsive_display_ad.marketing_image"
    )
    ad_group_ad_ad_legacy_responsive_display_ad_price_prefix: str | None = optional(
        "ad_group_ad.ad.legacy_responsive_display_ad.price_prefix"
    )
    ad_group_ad_ad_legacy_responsive_display_ad_promo_text: str | None = optional(
        "ad_group_ad.ad.legacy_responsive_display_ad.promo_text"
    )
    ad_group_ad_ad_legacy_responsive_display_ad_short_headline: str | None = optional(
        "ad_group_ad.ad.legacy_responsive_display_ad.short_headline"
    )
    ad_group_ad_ad_legacy_responsive_display_ad_square_logo_image: str | None = optional(
        "ad_group_ad.ad.legacy_responsive_display_ad.square_logo_image"
    )
    ad_group_ad_ad_legacy_responsive_display_ad_square_marketing_image: str | None = optional(
        "ad_group_ad.ad.legacy_responsive_display_ad.square_marketing_image"
    )
    ad_group_ad_ad_local_ad_call_to_actions: list[str] | None = optional(
        "ad_group_ad.ad.local_ad.call_to_actions"
    )
    ad_group_ad_ad_local_ad_descriptions: list[str] | None = optional(
        "ad_group_ad.ad.local_ad.descriptions"
    )
    ad_group_ad_ad_local_ad_headlines: list[str] | None = optional(
        "ad_group_ad.ad.local_ad.headlines"
    )
    ad_group_ad_ad_local_ad_logo_images: list[str] | None = optional(
        "ad_group_ad.ad.local_ad.logo_images"
    )
    ad_group_ad_ad_local_ad_marketing_images: list[str] | None = optional(
        "ad_group_ad.ad.local_ad.marketing_images"
    )
    ad_group_ad_ad_local_ad_path1: str | None = optional("ad_group_ad.ad.local_ad.path1")
    ad_group_ad_ad_local_ad_path2: str | None = optional("ad_group_ad.ad.local_ad.path2")
    ad_group_ad_ad_local_ad_videos: list[str] | None = optional("ad_group_ad.ad.local_ad.videos")
    ad_group_ad_ad_name: str | None = optional("ad_group_ad.ad.name")
    ad_group_ad_ad_resource_name: str | None = optional("ad_group_ad.ad.resource_name")
    ad_group_ad_ad_responsive_display_ad_accent_color: str | None = optional(
        "ad_group_ad.ad.responsive_display_ad.accent_color"
    )
    ad_group_ad_ad_responsive_display_ad_allow_flexible_color: bool | None = optional(
        "ad_group_ad.ad.responsive_display_ad.allow_flexible_color"
    )
    ad_group_ad_ad_responsive_display_ad_business_name: str | None = optional(
        "ad_group_ad.ad.responsive_display_ad.business_name"
    )
    ad_group_ad_ad_responsive_display_ad_call_to_action_text: str | None = optional(
        "ad_group_ad.ad.responsive_display_ad.call_to_action_text"
    )
    ad_group_ad_ad_responsive_display_ad_control_spec_enable_asset_enhancements: bool | None = (
        optional("ad_group_ad.ad.responsive_display_ad.control_spec.enable_asset_enhancements")
    )
    ad_group_ad_ad_responsive_display_ad_control_spec_enable_autogen_video: bool | None = optional(
        "ad_group_ad.ad.responsive_display_ad.control_spec.enable_autogen_video"
    )
    ad_group_ad_ad_responsive_display_ad_descriptions: list[str] | None = optional(
        "ad_group_ad.ad.responsive_display_ad.descriptions"
    )
    ad_group_ad_ad_responsive_display_ad_format_setting: str | None = optional(
        "ad_group_ad.ad.responsive_display_ad.format_setting"
    )
    ad_group_ad_ad_responsive_display_ad_headlines: list[str] | None = optional(
        "ad_group_ad.ad.responsive_display_ad.headlines"
    )
    ad_group_ad_ad_responsive_display_ad_logo_images: list[str] | None = optional(
        "ad_group_ad.ad.responsive_display_ad.logo_images"
    )
    ad_group_ad_ad_responsive_display_ad_long_headline: str | None = optional(
        "ad_group_ad.ad.responsive_display_ad.long_headline"
    )
    ad_group_ad_ad_responsive_display_ad_main_color: str | None = optional(
        "ad_group_ad.ad.responsive_display_ad.main_color"
    )
    ad_group_ad_ad_responsive_display_ad_marketing_images: list[str] | None = optional(
        "ad_group_ad.ad.responsive_display_ad.marketing_images"
    )
    ad_group_ad_ad_responsive_display_ad_price_prefix: str | None = optional(
        "ad_group_ad.ad.responsive_display_ad.price_prefix"
    )
    ad_group_ad_ad_responsive_display_ad_promo_text: str | None = optional(
        "ad_group_ad.ad.responsive_display_ad.promo_text"
    )
    ad_group_ad_ad_responsive_display_ad_square_logo_images: list[str] | None = optional(
        "ad_group_ad.ad.responsive_display_ad.square_logo_images"
    )
    ad_group_ad_ad_responsive_display_ad_square_marketing_images: list[str] | None = optional(
        "ad_group_ad.ad.responsive_display_ad.square_marketing_images"
    )
    ad_group_ad_ad_responsive_display_ad_youtube_videos: list[str] | None = optional(
        "ad_group_ad.ad.responsive_display_ad.youtube_videos"
    )
    ad_group_ad_ad_responsive_search_ad_descriptions: list[str] | None = optional(
        "ad_group_ad.ad.responsive_search_ad.descriptions"
    )
    ad_group_ad_ad_responsive_search_ad_headlines: list[str] | None = optional(
        "ad_group_ad.ad.responsive_search_ad.headlines"
    )
    ad_group_ad_ad_responsive_search_ad_path1: str | None = optional(
        "ad_group_ad.ad.responsive_search_ad.path1"
    )
    ad_group_ad_ad_responsive_search_ad_path2: str | None = optional(
        "ad_group_ad.ad.responsive_search_ad.path2"
    )
    ad_group_ad_ad_shopping_comparison_listing_ad_headline: str | None = optional(
        "ad_group_ad.ad.shopping_comparison_listing_ad.headline"
    )
    ad_group_ad_ad_shopping_product_ad: str | None = optional("ad_group_ad.ad.shopping_product_ad")
    ad_group_ad_ad_shopping_smart_ad: str | None = optional("ad_group_ad.ad.shopping_smart_ad")
    ad_group_ad_ad_smart_campaign_ad_descriptions: list[str] | None = optional(
        "ad_group_ad.ad.smart_campaign_ad.descriptions"
    )
    ad_group_ad_ad_smart_campaign_ad_headlines: list[str] | None = optional(
        "ad_group_ad.ad.smart_campaign_ad.headlines"
    )
    ad_group_ad_ad_system_managed_resource_source: str | None = optional(
        "ad_group_ad.ad.system_managed_resource_source"
    )
    ad_group_ad_ad_text_ad_description1: str | None = optional(
        "ad_group_ad.ad.text_ad.description1"
    )
    ad_group_ad_ad_text_ad_description2: str | None = optional(
        "ad_group_ad.ad.text_ad.description2"
    )
    ad_group_ad_ad_text_ad_headline: str | None = optional("ad_group_ad.ad.text_ad.headline")
    ad_group_ad_ad_tracking_url_template: str | None = optional(
        "ad_group_ad.ad.tracking_url_template"
    )
    ad_group_ad_ad_type: str | None = optional("ad_group_ad.ad.type")
    ad_group_ad_ad_url_collections: list[str] | None = optional("ad_group_ad.ad.url_collections")
    ad_group_ad_ad_url_custom_parameters: list[str] | None = optional(
        "ad_group_ad.ad.url_custom_parameters"
    )
    ad_group_ad_ad_video_ad_in_feed_description1: str | None = optional(
        "ad_group_ad.ad.video_ad.in_feed.description1"
    )
    ad_group_ad_ad_video_ad_in_feed_description2: str | None = optional(
        "ad_group_ad.ad.video_ad.in_feed.description2"
    )
    ad_group_ad_ad_video_ad_in_feed_headline: str | None = optional(
        "ad_group_ad.ad.video_ad.in_feed.headline"
    )
    ad_group_ad_ad_video_ad_in_stream_action_button_label: str | None = optional(
        "ad_group_ad.ad.video_ad.in_stream.action_button_label"
    )
    ad_group_ad_ad_video_ad_in_stream_action_headline: str | None = optional(
        "ad_group_ad.ad.video_ad.in_stream.action_headline"
    )
    ad_group_ad_ad_video_ad_out_stream_description: str | None = optional(
        "ad_group_ad.ad.video_ad.out_stream.description"
    )
    ad_group_ad_ad_video_ad_out_stream_headline: str | None = optional(
        "ad_group_ad.ad.video_ad.out_stream.headline"
    )
    ad_group_ad_ad_video_responsive_ad_call_to_actions: list[str] | None = optional(
        "ad_group_ad.ad.video_responsive_ad.call_to_actions"
    )
    ad_group_ad_ad_video_responsive_ad_companion_banners: list[str] | None = optional(
        "ad_group_ad.ad.video_responsive_ad.companion_banners"
    )
    ad_group_ad_ad_video_responsive_ad_descriptions: list[str] | None = optional(
        "ad_group_ad.ad.video_responsive_ad.descriptions"
    )
    ad_group_ad_ad_video_responsive_ad_headlines: list[str] | None = optional(
        "ad_group_ad.ad.video_responsive_ad.headlines"
    )
    ad_group_ad_ad_video_responsive_ad_long_headlines: list[str] | None = optional(
        "ad_group_ad.ad.video_responsive_ad.long_headlines"
    )
    ad_group_ad_ad_video_responsive_ad_videos: list[str] | None = optional(
        "ad_group_ad.ad.video_responsive_ad.videos"
    )
    ad_group_ad_ad_group: str | None = optional("ad_group_ad.ad_group")
    ad_group_ad_ad_strength: str | None = optional("ad_group_ad.ad_strength")
    ad_group_ad_labels: list[str] | None = optional("ad_group_ad.labels")
    ad_group_ad_policy_summary_approval_status: str | None = optional(
        "ad_group_ad.policy_summary.approval_status"
    )
    ad_group_ad_policy_summary_policy_topic_entries: list[str] | None = optional(
        "ad_group_ad.policy_summary.policy_topic_entries"
    )
    ad_group_ad_policy_summary_review_status: str | None = optional(
        "ad_group_ad.policy_summary.review_status"
    )
    ad_group_ad_resource_name: str | None = optional("ad_group_ad.resource_name")
    ad_group_ad_status: str | None = optional("ad_group_ad.status")
    segments_date: str | None = optional("segments.date")
