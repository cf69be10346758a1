"""The environment variables that tocsin and its verbs read; docs/reference/configuration.md lists them."""

from collections.abc import Mapping
from typing import Final

# Each goes before the key of tocsin.yaml; of secrets it is the secret itself, where the key is a reference.
VARIABLES: Final[Mapping[str, str]] = {
    "data_dir": "TOCSIN_DATA_DIR",
    "clock": "TOCSIN_CLOCK",
    "insecure": "TOCSIN_INSECURE",
    "public_url": "TOCSIN_PUBLIC_URL",
    "access.peer_secret": "TOCSIN_PEER_SECRET",
    "store.url": "TOCSIN_CLICKHOUSE_URL",
    "store.database": "TOCSIN_DATABASE",
    "store.user": "TOCSIN_CLICKHOUSE_USER",
    "store.password": "TOCSIN_CLICKHOUSE_PASSWORD",
    "store.token": "TOCSIN_CLICKHOUSE_TOKEN",
    "store.cluster": "TOCSIN_CLICKHOUSE_CLUSTER",
    "listen.grpc": "TOCSIN_GRPC_ADDRESS",
    "listen.http": "TOCSIN_HTTP_ADDRESS",
    "listen.api": "TOCSIN_API_ADDRESS",
    "listen.guard": "TOCSIN_GUARD_ADDRESS",
    "listen.clickhouse": "TOCSIN_CLICKHOUSE_HTTP_ADDRESS",
    "listen.clickhouse_password": "TOCSIN_CLICKHOUSE_HTTP_PASSWORD",
    "collector.name": "TOCSIN_COLLECTOR_NAME",
    "collector.api": "TOCSIN_COLLECTOR_API",
    "collector.address": "TOCSIN_COLLECTOR_ADDRESS",
    "tls.certificate": "TOCSIN_TLS_CERTIFICATE",
    "tls.private_key": "TOCSIN_TLS_PRIVATE_KEY",
    "tls.client_ca": "TOCSIN_TLS_CLIENT_CA",
    "ingest_keys": "TOCSIN_INGEST_KEYS",
    "max_disk": "TOCSIN_MAX_DISK",
    "use_cases": "TOCSIN_USE_CASES",
    "rules": "TOCSIN_RULES",
    "templates": "TOCSIN_TEMPLATES",
}
CONFIG: Final = "TOCSIN_CONFIG"
ACCESS_KEY: Final = "TOCSIN_ACCESS_KEY"
INGEST_KEY: Final = "TOCSIN_KEY"
OTHERS: Final[Mapping[str, str]] = {  # without a key
    CONFIG: "Which file is read in place of `tocsin.yaml`.",
    ACCESS_KEY: "For commands: the key of access that they show; on the machine itself none is needed.",
    INGEST_KEY: "For `outcomes load` and `review`: the ingest key that outcomes are sent with.",
}
