"""The weekly digest: a mail with the figures of the week that ended, to everybody who wants it."""
