"""How the API of erp is reached."""

from store.runtime.http import Api
from store.runtime.http_auth import Bearer
from store.settings import environment


def connect() -> Api:
    """The API that the paths of the resources belong to; secrets come from the environment."""
    return Api(
        environment.get("ERP_URL", "https://erp.example.com/api/v2"),
        auth=Bearer(environment.require("ERP_TOKEN", "…")),
        rate_limit=5,
        user_agent="store/erp",
    )
