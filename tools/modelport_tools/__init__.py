"""From OpenAPI documents to typed clients."""
