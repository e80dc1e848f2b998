"""The register of forecasts: recorded once, chained by hash, compared and scored later."""
