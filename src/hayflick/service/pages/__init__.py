"""The pages of the service: the dashboard, rendered on the server."""
