"""What a trend's model would have said at earlier dates, and how it sits with the record."""
