"""One visit: collect, judge, prescribe, prove."""
