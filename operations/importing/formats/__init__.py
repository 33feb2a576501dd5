"""The formats that sessions come in. Each yields an ImportedSession or a Rejected a row, in the order of the file."""
