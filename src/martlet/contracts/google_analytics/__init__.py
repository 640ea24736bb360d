"""Google Analytics 4: events of the BigQuery export."""
