"""ConnectWise's ways of saying no."""

from flowpilot.psa.stand_in.wsgi import Answer, Refused


def refused(status: int, code: str, message: str) -> Refused:
    return Refused(Answer(status, {"code": code, "message": message, "errors": None}))


def not_found(message: str) -> Refused:
    return refused(404, "NotFound", message)


def no_endpoint() -> Answer:
    return Answer(404, {"code": "ConnectWiseApi", "message": "The endpoint does not exist.", "errors": None})


def refusal(field: str, message: str, resource: str, code: str = "InvalidField") -> Answer:
    error = {"code": code, "message": message, "resource": resource, "field": field}
    return Answer(
        400, {"code": "InvalidObject", "message": f"{resource} object is invalid", "errors": [error]}
    )


def invalid(field: str, message: str, resource: str, code: str = "InvalidField") -> Refused:
    return Refused(refusal(field, message, resource, code))
