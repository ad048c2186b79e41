"""The answers of the device and media services (ONVIF Core and Media Specifications): what the door is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from intercom.config import CameraConfig
from intercom.integrations.onvif.soap import SoapError, element, flag, flags, text

SERVICES = {
    "device": "http://www.onvif.org/ver10/device/wsdl",
    "media": "http://www.onvif.org/ver10/media/wsdl",
    "events": "http://www.onvif.org/ver10/events/wsdl",
}
"""Services by the last part of their path."""
RELAY = "Door"
"""Token of the relay output."""
SOURCE, PROFILE, ENCODER, SOUND = "Camera", "Main", "H264", "Microphone"
"""Tokens of the picture's source, the one profile, its encoder, and the microphone."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What the device says of itself."""

    name: str
    version: str
    serial: str
    """Number that stays, made from the machine's."""
    mac: str
    """Address of its network card, by which recorders know it again."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a client reaches the door: by the address that it asked."""

    host: str
    """Host, as a URL has it."""
    http: int
    rtsp: int

    def service(self, name: str) -> str:
        """Return the URL of a service."""
        return f"http://{self.host}:{self.http}/onvif/{name}"

    @property
    def still(self) -> str:
        """URL of the still."""
        return f"http://{self.host}:{self.http}/onvif/snapshot.jpg"

    @property
    def stream(self) -> str:
        """URL of the stream: PCMA, as ONVIF knows no Opus."""
        return f"rtsp://{self.host}:{self.rtsp}/door-pcma"


# -- device -----------------------------------------------------------------------------------------------


def date_and_time(now: datetime) -> str:
    """Answer GetSystemDateAndTime."""
    clock = element("tt:Time", text("tt:Hour", now.hour), text("tt:Minute", now.minute), text("tt:Second", now.second))
    date = element("tt:Date", text("tt:Year", now.year), text("tt:Month", now.month), text("tt:Day", now.day))
    return element(
        "tds:GetSystemDateAndTimeResponse",
        element(
            "tds:SystemDateAndTime",
            text("tt:DateTimeType", "NTP"),
            flag("tt:DaylightSavings", False),
            element("tt:TimeZone", text("tt:TZ", "UTC0")),
            element("tt:UTCDateTime", clock, date),
        ),
    )


def information(identity: Identity) -> str:
    """Answer GetDeviceInformation."""
    return element(
        "tds:GetDeviceInformationResponse",
        text("tds:Manufacturer", "Intercom"),
        text("tds:Model", "Door station"),
        text("tds:FirmwareVersion", identity.version),
        text("tds:SerialNumber", identity.serial),
        text("tds:HardwareId", "intercom"),
    )


def services(place: Place) -> str:
    """Answer GetServices."""
    version = element("tds:Version", text("tt:Major", 2), text("tt:Minor", 60))
    rows = [
        element("tds:Service", text("tds:Namespace", uri), text("tds:XAddr", place.service(name)), version)
        for name, uri in SERVICES.items()
    ]
    return element("tds:GetServicesResponse", *rows)


def capabilities(place: Place) -> str:
    """Answer GetCapabilities."""
    device = element(
        "tt:Device",
        text("tt:XAddr", place.service("device")),
        element("tt:IO", text("tt:InputConnectors", 2), text("tt:RelayOutputs", 1)),
    )
    events = element(
        "tt:Events",
        text("tt:XAddr", place.service("events")),
        flag("tt:WSSubscriptionPolicySupport", False),
        flag("tt:WSPullPointSupport", True),
        flag("tt:WSPausableSubscriptionManagerInterfaceSupport", False),
    )
    streaming = element(
        "tt:StreamingCapabilities",
        flag("tt:RTPMulticast", False),
        flag("tt:RTP_TCP", True),
        flag("tt:RTP_RTSP_TCP", True),
    )
    media = element("tt:Media", text("tt:XAddr", place.service("media")), streaming)
    return element("tds:GetCapabilitiesResponse", element("tds:Capabilities", device, events, media))


def device_capabilities() -> str:
    """Answer the device's GetServiceCapabilities."""
    security = flags(UsernameToken=True, HttpDigest=False)
    return element(
        "tds:GetServiceCapabilitiesResponse",
        element(
            "tds:Capabilities",
            element("tds:Network", **flags(IPVersion6=False)),
            element("tds:Security", **security),
            element("tds:System", **flags(DiscoveryResolve=False)),
        ),
    )


def scopes(identity: Identity) -> str:
    """Answer GetScopes."""
    found = ("Profile/Streaming", "type/video_encoder", "type/audio_encoder", f"name/{identity.name}")
    rows = [
        element("tds:Scopes", text("tt:ScopeDef", "Fixed"), text("tt:ScopeItem", f"onvif://www.onvif.org/{scope}"))
        for scope in found
    ]
    return element("tds:GetScopesResponse", *rows)


def host_name(name: str) -> str:
    """Answer GetHostname."""
    return element(
        "tds:GetHostnameResponse",
        element("tds:HostnameInformation", flag("tt:FromDHCP", False), text("tt:Name", name)),
    )


def interfaces(identity: Identity) -> str:
    """Answer GetNetworkInterfaces."""
    info = element("tt:Info", text("tt:Name", "eth0"), text("tt:HwAddress", identity.mac), text("tt:MTU", 1500))
    found = element("tds:NetworkInterfaces", flag("tt:Enabled", True), info, token="eth0")  # noqa: S106 - no secret
    return element("tds:GetNetworkInterfacesResponse", found)


def relays(pulse_s: float) -> str:
    """Answer GetRelayOutputs."""
    properties = element(
        "tt:Properties",
        text("tt:Mode", "Monostable"),
        text("tt:DelayTime", f"PT{pulse_s:g}S"),
        text("tt:IdleState", "open"),
    )
    return element("tds:GetRelayOutputsResponse", element("tds:RelayOutputs", properties, token=RELAY))


# -- media ------------------------------------------------------------------------------------------------


def media_capabilities() -> str:
    """Answer the media service's GetServiceCapabilities."""
    return element(
        "trt:GetServiceCapabilitiesResponse",
        element(
            "trt:Capabilities",
            element("trt:ProfileCapabilities", MaximumNumberOfProfiles="1"),
            element("trt:StreamingCapabilities", **flags(RTPMulticast=False, RTP_TCP=True, RTP_RTSP_TCP=True)),
            **flags(SnapshotUri=True, Rotation=False),
        ),
    )


def _source_configuration(tag: str, camera: CameraConfig) -> str:
    bounds = element("tt:Bounds", x="0", y="0", width=str(camera.width), height=str(camera.height))
    inner = (text("tt:Name", SOURCE), text("tt:UseCount", 1), text("tt:SourceToken", SOURCE), bounds)
    return element(tag, *inner, token=SOURCE)


def _resolution(camera: CameraConfig) -> str:
    return element("tt:Resolution", text("tt:Width", camera.width), text("tt:Height", camera.height))


def _multicast() -> str:
    address = element("tt:Address", text("tt:Type", "IPv4"), text("tt:IPv4Address", "0.0.0.0"))  # noqa: S104 - none
    return element("tt:Multicast", address, text("tt:Port", 0), text("tt:TTL", 0), flag("tt:AutoStart", False))


def _encoder_configuration(tag: str, camera: CameraConfig) -> str:
    rate = element(
        "tt:RateControl",
        text("tt:FrameRateLimit", camera.frame_rate),
        text("tt:EncodingInterval", 1),
        text("tt:BitrateLimit", camera.bitrate_kbps),
    )
    h264 = element("tt:H264", text("tt:GovLength", camera.frame_rate * 4), text("tt:H264Profile", "Baseline"))
    inner = (
        *(text("tt:Name", ENCODER), text("tt:UseCount", 1), text("tt:Encoding", "H264"), _resolution(camera)),
        *(text("tt:Quality", 5), rate, h264, _multicast(), text("tt:SessionTimeout", "PT60S")),
    )
    return element(tag, *inner, token=ENCODER)


def _sound_source(tag: str) -> str:
    inner = (text("tt:Name", SOUND), text("tt:UseCount", 1), text("tt:SourceToken", SOUND))
    return element(tag, *inner, token=SOUND)


def _sound_encoder(tag: str) -> str:
    inner = (
        *(text("tt:Name", "G711"), text("tt:UseCount", 1), text("tt:Encoding", "G711"), text("tt:Bitrate", 64)),
        *(text("tt:SampleRate", 8), _multicast(), text("tt:SessionTimeout", "PT60S")),
    )
    return element(tag, *inner, token="G711")  # noqa: S106 - no secret


def profile(tag: str, camera: CameraConfig, *, sound: bool) -> str:
    """Return the one profile."""
    parts = [text("tt:Name", PROFILE), _source_configuration("tt:VideoSourceConfiguration", camera)]
    if sound:
        parts.append(_sound_source("tt:AudioSourceConfiguration"))
    parts.append(_encoder_configuration("tt:VideoEncoderConfiguration", camera))
    if sound:
        parts.append(_sound_encoder("tt:AudioEncoderConfiguration"))
    return element(tag, *parts, token=PROFILE, fixed="true")


def video_sources(camera: CameraConfig) -> str:
    """Answer GetVideoSources."""
    source = element("trt:VideoSources", text("tt:Framerate", camera.frame_rate), _resolution(camera), token=SOURCE)
    return element("trt:GetVideoSourcesResponse", source)


def video_source_configurations(camera: CameraConfig) -> str:
    """Answer GetVideoSourceConfigurations."""
    return element("trt:GetVideoSourceConfigurationsResponse", _source_configuration("trt:Configurations", camera))


def encoder_configurations(camera: CameraConfig, *, one: bool) -> str:
    """Answer GetVideoEncoderConfigurations, or that of one."""
    if one:
        return element("trt:GetVideoEncoderConfigurationResponse", _encoder_configuration("trt:Configuration", camera))
    return element("trt:GetVideoEncoderConfigurationsResponse", _encoder_configuration("trt:Configurations", camera))


def profiles(camera: CameraConfig, *, sound: bool) -> str:
    """Answer GetProfiles."""
    return element("trt:GetProfilesResponse", profile("trt:Profiles", camera, sound=sound))


def one_profile(token: str, one: str) -> str:
    """Answer GetProfile."""
    must_be(token, PROFILE)
    return element("trt:GetProfileResponse", one)


def uri(operation: str, token: str, address: str) -> str:
    """Answer GetStreamUri and GetSnapshotUri."""
    must_be(token, PROFILE)
    return element(
        f"trt:{operation}Response",
        element(
            "trt:MediaUri",
            text("tt:Uri", address),
            flag("tt:InvalidAfterConnect", False),
            flag("tt:InvalidAfterReboot", False),
            text("tt:Timeout", "PT0S"),
        ),
    )


def must_be(token: str, *known: str) -> None:
    """Raise the fault of a token that names nothing here; an empty one stands for the only thing there is."""
    if token not in ("", *known):
        raise SoapError(f"There is no {token[:64]!r} here.", "ter:InvalidArgVal")
