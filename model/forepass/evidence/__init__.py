"""What a report rests on, gathered once as a JSON document: forecasts, beliefs, data, records."""
