"""Ticket systems that stand in for the real ones in tests and in the demo: real HTTP on loopback, all in memory."""
