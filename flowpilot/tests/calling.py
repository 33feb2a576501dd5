"""Calls of the API from outside, as the tests of flows and of sessions make them."""

import json

from resolutionflow.models import ApiToken


def calls(client, url):
    """`call(user, path, body, method, **parameters)` as a user by a new token: (status, answer).

    A path that is a whole address is asked as it is; a body of bytes is sent as it is.
    """

    def call(user, path="", body=None, method=None, **parameters):
        token = ApiToken.issue(user, "tests")[1]
        names = {name.rstrip("_"): value for name, value in parameters.items()}  # "from" is a keyword
        response = client.generic(
            method or ("GET" if body is None else "POST"),
            path if path.startswith("http") else url + path,
            body if isinstance(body, bytes) else json.dumps(body),
            "application/json",
            headers={"Authorization": f"Bearer {token}"},
            query_params=names or None,
        )
        assert response["Content-Type"] == "application/json; charset=utf-8"
        return response.status_code, response.json()

    return call
