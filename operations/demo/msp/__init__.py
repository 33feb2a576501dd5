"""An invented MSP with 120 days of work: the product as a team that lives in it sees it.

`cast` says who there is and what is wrong on purpose, `problems.toml` and `voices.toml` what people say,
`discoveries.toml` what engineers found out where no flow leads, `days` when work comes in. `walking` says how a flow is
gone through, `course` how a session goes. `story` tells what happened, which depends on nothing but the moment of
telling, and `loading` writes it down.
"""
