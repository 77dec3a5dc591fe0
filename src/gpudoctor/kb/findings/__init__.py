"""The findings that can be made, and the messages, pages and follow-ups that belong to them."""
