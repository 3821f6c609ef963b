"""A program as a customer writes it with the client that openapi-python-client generates.

It must pass mypy in strict mode, and leaves out every member that has a default.
"""

import sys

from passpost import AuthenticatedClient
from passpost.api.events import get_event, publish_events
from passpost.api.tasks import create_task, list_tasks
from passpost.api.webhooks import create_webhook
from passpost.models import (
    CreatedWebhook,
    CreateTaskBody,
    EventDataType0,
    EventWithDeliveries,
    EventWithDeliveriesDataType0,
    ListTasksResponse200,
    NewEvent,
    NewEventData,
    NewWebhook,
    NewWebhookHeadersType0,
    Place,
    Problem,
    PublishedEvent,
    Task,
)


def expect_equal(name: str, actual: object, expected: object) -> None:
    if actual != expected:
        raise SystemExit(f"{name} is {actual!r}, expected {expected!r}.")


base_url, key = sys.argv[1:]
client = AuthenticatedClient(base_url=base_url, token=key)
pickup = Place(city="Oslo", address="Karl Johans gate 31")
dropoff = Place(city="Bergen", address="Bryggen 5")

passport = CreateTaskBody(item="Passport", pickup=pickup, dropoff=dropoff)
task = create_task.sync(client=client, body=passport, idempotency_key="client-1")
assert isinstance(task, Task), task
expect_equal("the size of a task without a size", task.size, None)
listed = list_tasks.sync(client=client, limit=1)
assert isinstance(listed, ListTasksResponse200), listed
expect_equal("the id of the first task of the list", listed.data[0].id, task.id)

headers = NewWebhookHeadersType0()
headers["x-api-key"] = "k"
webhook = create_webhook.sync(
    client=client, body=NewWebhook(url="https://example.com/hook", events=["*"], headers=headers)
)
assert isinstance(webhook, CreatedWebhook), webhook
expect_equal("the header value that a webhook shows", webhook.headers["x-api-key"], "***")

data = NewEventData()
data["place"] = "lobby"
published = publish_events.sync(client=client, body=NewEvent(type_="task.accepted", data=data))
assert isinstance(published, PublishedEvent), published
event = get_event.sync(id=published.id, client=client)
assert isinstance(event, EventWithDeliveries), event
assert isinstance(event.data, EventWithDeliveriesDataType0), event
expect_equal("the data of the event", event.data["place"], "lobby")

refused = create_task.sync_detailed(client=client, body=CreateTaskBody(item="", pickup=pickup, dropoff=dropoff))
expect_equal("the status for a task with an empty item", refused.status_code, 422)
assert isinstance(refused.parsed, Problem), refused
assert refused.parsed.errors
expect_equal("the field that the problem names", refused.parsed.errors[0].path, "item")
