"""LinkedIn's Marketing API: campaign groups, campaigns and daily analytics."""
