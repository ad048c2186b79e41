"""The answers of the event service (ONVIF Core Specification, 9): what there is to follow. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from intercom.integrations.onvif.pull import MOST_SUBSCRIPTIONS, Change
from intercom.integrations.onvif.soap import element, flags, text

CONCRETE = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"
DIALECT = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete"
SCHEMA = "http://www.onvif.org/onvif/ver10/schema/onvif.xsd"


def utc(at: datetime) -> str:
    """Return a time as XML has it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def capabilities() -> str:
    """Answer GetServiceCapabilities."""
    return element(
        "tev:GetServiceCapabilitiesResponse",
        element(
            "tev:Capabilities",
            MaxPullPoints=str(MOST_SUBSCRIPTIONS),
            MaxNotificationProducers="0",
            **flags(WSSubscriptionPolicySupport=False, WSPausableSubscriptionManagerInterfaceSupport=False),
        ),
    )


def properties() -> str:
    """Answer GetEventProperties."""
    source = element("tt:Source", element("tt:SimpleItemDescription", Name="InputToken", Type="tt:ReferenceToken"))
    data = element("tt:Data", element("tt:SimpleItemDescription", Name="LogicalState", Type="xs:boolean"))
    message = element("tt:MessageDescription", source, data, IsProperty="true")
    topic = element("DigitalInput", message, wstop_topic="true")
    topics = element("tns1:Device", element("Trigger", topic, wstop_topic="false"), wstop_topic="false")
    return element(
        "tev:GetEventPropertiesResponse",
        text("tev:TopicNamespaceLocation", "http://www.onvif.org/onvif/ver10/topics/topicns.xml"),
        text("wsnt:FixedTopicSet", "true"),
        element("wstop:TopicSet", topics),
        text("wsnt:TopicExpressionDialect", CONCRETE),
        text("wsnt:TopicExpressionDialect", DIALECT),
        text("tev:MessageContentFilterDialect", "http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter"),
        text("tev:MessageContentSchemaLocation", SCHEMA),
    )


def subscribed(url: str, now: datetime, lasts_s: float) -> str:
    """Answer CreatePullPointSubscription."""
    return element(
        "tev:CreatePullPointSubscriptionResponse",
        element("tev:SubscriptionReference", text("wsa:Address", url)),
        *_times("wsnt", now, lasts_s),
    )


def pulled(changes: Iterable[Change], now: datetime, lasts_s: float) -> str:
    """Answer PullMessages."""
    return element("tev:PullMessagesResponse", *_times("tev", now, lasts_s), *(change.message() for change in changes))


def renewed(now: datetime, lasts_s: float) -> str:
    """Answer Renew."""
    return element(
        "wsnt:RenewResponse",
        text("wsnt:TerminationTime", utc(now + timedelta(seconds=lasts_s))),
        text("wsnt:CurrentTime", utc(now)),
    )


def _times(prefix: str, now: datetime, lasts_s: float) -> tuple[str, str]:
    return (
        text(f"{prefix}:CurrentTime", utc(now)),
        text(f"{prefix}:TerminationTime", utc(now + timedelta(seconds=lasts_s))),
    )
