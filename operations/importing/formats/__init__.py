"""The formats that sessions come in. Each yields an ImportedSession or a Rejected for every row, in the file's order."""
