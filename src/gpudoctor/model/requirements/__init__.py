"""What a requirement says: its line, its specifier, its marker. The only room that reads them."""
