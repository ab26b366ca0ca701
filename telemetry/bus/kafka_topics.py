"""Topics of Kafka, made when they are missing and the cluster lets us."""

from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import IncompatibleBrokerVersion, TopicAlreadyExistsError

from telemetry.errors import BusUnavailableError

PARTITIONS = 6
"""How many consumers of a group can share a topic that is made here."""
RETENTION_MS = 24 * 3600 * 1000
"""How long messages are kept in a topic that is made here: a signal is of no use a day later."""

_REPLICAS = 3
_DONE = frozenset({0, TopicAlreadyExistsError.errno})


async def ensure_topic(servers: str, name: str, *, timeout_ms: int) -> None:
    """Make the topic unless it exists.

    A cluster without a controller, or without this API, makes topics by itself when they are used, or not at all.

    Raises:
        BusUnavailableError: the cluster refuses to make it; says with which command people can.
        KafkaError: no broker answers.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=servers, request_timeout_ms=timeout_ms)
    try:
        await admin.start()
        if name in await admin.list_topics():
            return
        cluster = await admin.describe_cluster()
        brokers = {broker["node_id"] for broker in cluster["brokers"]}
        if cluster["controller_id"] not in brokers:
            return
        wanted = NewTopic(
            name,
            num_partitions=PARTITIONS,
            replication_factor=min(_REPLICAS, len(brokers)),
            topic_configs={"retention.ms": str(RETENTION_MS)},
        )
        try:
            answer: Any = await admin.create_topics([wanted])
        except IncompatibleBrokerVersion:
            return
        for _, code, *reason in answer.topic_errors:
            if code not in _DONE:
                raise BusUnavailableError(_refused(servers, name, code, str(reason[0] or "") if reason else ""))
    finally:
        await admin.close()


def _refused(servers: str, name: str, code: int, reason: str) -> str:
    why = f"error {code}{f', {reason}' if reason else ''}"
    return (
        f"Kafka at {servers} does not make the topic {name} ({why}). Make it yourself: "
        f"kafka-topics.sh --bootstrap-server {servers} --create --topic {name} --partitions {PARTITIONS}"
    )
