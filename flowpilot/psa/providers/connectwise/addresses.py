"""ConnectWise's addresses: which host the API has, which codebase, and where people open a ticket."""

import re
from urllib.parse import quote, urlsplit

# Hosts in ConnectWise's cloud, whose API is at the same name with "api-" before it.
CLOUD = re.compile(
    r"(?:api-)?((?:na|eu|au|aus|za)\.myconnectwise\.net|staging\.connectwisedev\.com)", re.IGNORECASE
)
CODEBASE = re.compile(
    r"v[0-9A-Za-z_]{1,40}/", re.ASCII
)  # a plain part of a path: an answer must not name a host
API_PATH = re.compile(r"/(v[0-9A-Za-z_]{1,40}/)apis/3\.0(?:/|$)", re.ASCII)
ON_PREMISE = "v4_6_release/"  # the fixed codebase there, in the cloud an alias of the newest


def is_cloud(site: str) -> bool:
    return CLOUD.fullmatch(urlsplit(site).netloc) is not None


def api_site(site: str) -> str:
    """Without the prefix the cloud answers "SSL is required"."""
    return re.sub(r"//(?!api-)", "//api-", site, count=1) if is_cloud(site) else site


def web_site(site: str) -> str:
    return re.sub(r"//api-", "//", site, count=1) if is_cloud(site) else site


def api_root(site: str, codebase: str) -> str:
    return f"{api_site(site)}/{codebase}apis/3.0"


def codebase_in(typed: str) -> str | None:
    """What an address that was found before says: `…/v2025_1/apis/3.0`."""
    found = API_PATH.search(typed)
    return found[1] if found else None


def company_info(site: str, company: str) -> str:
    return f"{web_site(site)}/login/companyinfo/{quote(company, safe='')}"


def ticket_page(site: str, company: str, ref: str) -> str:
    return (
        f"{web_site(site)}/{ON_PREMISE}services/system_io/Service/fv_sr100_request.rails"
        f"?service_recid={quote(ref, safe='')}&companyName={quote(company, safe='')}"
    )
