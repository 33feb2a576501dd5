"""Sessions from files: from a line of the file to rows of an account.

`reading` opens the file, `formats` turn its lines into `records`, `shifting` moves them in time, `writing` brings the
account to what they say, `running` ties these together and `report` tells the operator what became of each line.
"""
