"""Writers: one format a file, named as the format; each puts every block of a document out."""
