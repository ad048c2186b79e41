"""Session descriptions in the shapes of the world, written from their documented forms.

All addresses are those for examples.
"""

from __future__ import annotations

FINGERPRINT = ":".join(f"{n:02X}" for n in range(32))
ICE = "a=ice-ufrag:F7gI\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\n"
DTLS = f"a=fingerprint:sha-256 {FINGERPRINT}\r\n"
DTLS_SHA_1 = f"a=fingerprint:sha-1 {FINGERPRINT[:59]}\r\n"
HEAD = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
HOST = "a=candidate:1 1 udp 2122260223 192.0.2.10 50000 typ host generation 0 network-id 1\r\n"

CHROMIUM_AUDIO = (
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n"
    + HOST
    + ICE
    + "a=ice-options:trickle\r\n"
    + DTLS
    + "a=setup:actpass\r\na=mid:0\r\n"
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
    "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n"
    "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
    "a=sendrecv\r\na=msid:stream track\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
    "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"
    "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\na=rtpmap:110 telephone-event/48000\r\n"
    "a=rtpmap:126 telephone-event/8000\r\na=ssrc:3570614608 cname:4TOk42mSjXCkVIa6\r\n"
    "a=ssrc:3570614608 msid:stream track\r\n"
)
CHROMIUM_VIDEO = (
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 108 109\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n"
    + ICE
    + "a=ice-options:trickle\r\n"
    + DTLS
    + "a=setup:actpass\r\na=mid:1\r\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
    "a=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
    "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 goog-remb\r\na=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 nack\r\n"
    "a=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
    "a=rtpmap:102 H264/90000\r\na=rtcp-fb:102 goog-remb\r\na=rtcp-fb:102 nack\r\na=rtcp-fb:102 nack pli\r\n"
    "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n"
    "a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n"
    "a=rtpmap:108 H264/90000\r\na=rtcp-fb:108 nack\r\na=rtcp-fb:108 nack pli\r\n"
    "a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
    "a=rtpmap:109 rtx/90000\r\na=fmtp:109 apt=108\r\n"
)
CHROMIUM_DATA = (
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n"
    + ICE
    + DTLS
    + "a=setup:actpass\r\na=mid:2\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n"
)
CHROMIUM_SESSION = "a=group:BUNDLE 0 1 2\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS stream\r\n"
CHROMIUM_OFFER = HEAD + CHROMIUM_SESSION + CHROMIUM_AUDIO + CHROMIUM_VIDEO + CHROMIUM_DATA

CHROMIUM_ANSWER = (
    (HEAD + "a=group:BUNDLE 0 1\r\na=extmap-allow-mixed\r\n" + CHROMIUM_AUDIO + CHROMIUM_VIDEO)
    .replace("setup:actpass", "setup:active")
    .replace("SAVPF 111 63 9 0 8 13 110 126", "SAVPF 111 0 8 110")
    .replace("SAVPF 96 97 102 103 108 109", "SAVPF 108 109")
)
"""To what we offer: the payload types are the offer's."""

FIREFOX_OFFER = (
    "v=0\r\no=mozilla...THIS_IS_SDPARTA-99.0 1234 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=sendrecv\r\n"
    + DTLS
    + "a=group:BUNDLE 0 1\r\na=ice-options:trickle\r\na=msid-semantic:WMS *\r\n"
    "m=audio 50001 UDP/TLS/RTP/SAVPF 109 9 0 8 101\r\nc=IN IP4 192.0.2.11\r\n"
    "a=candidate:0 1 UDP 2122252543 192.0.2.11 50001 typ host\r\n"
    "a=candidate:2 1 TCP 2105524479 192.0.2.11 9 typ host tcptype active\r\n"
    "a=recvonly\r\na=end-of-candidates\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
    "a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level\r\n"
    "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
    "a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1\r\na=fmtp:101 0-15\r\n"
    + ICE
    + "a=mid:0\r\na=rtcp-mux\r\na=rtpmap:109 opus/48000/2\r\na=rtpmap:9 G722/8000/1\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000/1\r\na=setup:actpass\r\n"
    "a=ssrc:1 cname:{9d5e0b4e}\r\n"
    "m=video 50002 UDP/TLS/RTP/SAVPF 120 121 126 97\r\nc=IN IP4 192.0.2.11\r\na=recvonly\r\n"
    "a=fmtp:126 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1\r\n"
    "a=fmtp:97 profile-level-id=42e01f;level-asymmetry-allowed=1\r\na=fmtp:120 max-fs=12288;max-fr=60\r\n"
    + ICE
    + "a=mid:1\r\na=rtcp-fb:126 nack\r\na=rtcp-fb:126 nack pli\r\na=rtcp-fb:126 ccm fir\r\na=rtcp-mux\r\n"
    "a=rtpmap:120 VP8/90000\r\na=rtpmap:121 VP9/90000\r\na=rtpmap:126 H264/90000\r\na=rtpmap:97 H264/90000\r\n"
    "a=setup:actpass\r\n"
)

FIREFOX_ANSWER = (
    FIREFOX_OFFER.replace("setup:actpass", "setup:active")
    .replace("SAVPF 109 9 0 8 101", "SAVPF 109 101")
    .replace("a=recvonly\r\na=end", "a=sendrecv\r\na=end")
    .replace("SAVPF 120 121 126 97", "SAVPF 126")
)

FREESWITCH_AUDIO = (
    "m=audio 24680 UDP/TLS/RTP/SAVPF 96 110\r\nc=IN IP4 198.51.100.7\r\n"
    "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1; maxaveragebitrate=30000; ptime=20; minptime=10\r\n"
    "a=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-15\r\na=silenceSupp:off - - - -\r\na=ptime:20\r\n"
    + DTLS
    + "a=setup:active\r\na=rtcp-mux\r\na=rtcp:24680 IN IP4 198.51.100.7\r\n"
    "a=ssrc:1234567 cname:oqGcAhAbcd\r\na=ssrc:1234567 msid:a0 a0\r\na=ssrc:1234567 mslabel:a0\r\n"
    + ICE
    + "a=candidate:1234567890 1 udp 2130706431 198.51.100.7 24680 typ host generation 0\r\n"
    "a=candidate:1234567890 2 udp 2130706430 198.51.100.7 24680 typ host generation 0\r\na=end-of-candidates\r\n"
)
FREESWITCH_HEAD = (
    "v=0\r\no=FreeSWITCH 1609459200 1609459201 IN IP4 198.51.100.7\r\ns=FreeSWITCH\r\n"
    "c=IN IP4 198.51.100.7\r\nt=0 0\r\na=msid-semantic: WMS a0\r\n"
)
FREESWITCH_ANSWER = FREESWITCH_HEAD + FREESWITCH_AUDIO
FREESWITCH_ANSWER_NO_VIDEO = FREESWITCH_ANSWER + "m=video 0 UDP/TLS/RTP/SAVPF 19\r\n"
FREESWITCH_ANSWER_PCMU = FREESWITCH_ANSWER.replace("SAVPF 96 110", "SAVPF 0 101").replace(
    "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1; maxaveragebitrate=30000; ptime=20; minptime=10\r\n"
    "a=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-15\r\n",
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n",
)
FREESWITCH_OFFER = FREESWITCH_ANSWER.replace("setup:active", "setup:actpass")

ASTERISK_OFFER = (
    "v=0\r\no=- 1503 3 IN IP4 203.0.113.5\r\ns=Asterisk\r\nc=IN IP4 203.0.113.5\r\nt=0 0\r\n"
    "a=msid-semantic:WMS *\r\na=group:BUNDLE audio-0 video-1\r\n"
    "m=audio 10012 UDP/TLS/RTP/SAVPF 107 0 8 101\r\n"
    "a=connection:new\r\na=setup:actpass\r\n"
    + DTLS
    + ICE
    + "a=candidate:Hcb007105 1 UDP 2130706431 203.0.113.5 10012 typ host\r\n"
    "a=candidate:Hcb007105 2 UDP 2130706430 203.0.113.5 10013 typ host\r\n"
    "a=rtpmap:107 opus/48000/2\r\na=fmtp:107 useinbandfec=1\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=maxptime:60\r\na=sendrecv\r\n"
    "a=rtcp-mux\r\na=ssrc:991 cname:0f2b\r\na=msid:0f2b aaa\r\na=rtcp-fb:* transport-cc\r\na=mid:audio-0\r\n"
    "m=video 10012 UDP/TLS/RTP/SAVPF 100\r\na=connection:new\r\na=setup:actpass\r\n"
    + DTLS
    + ICE
    + "a=rtpmap:100 VP8/90000\r\na=sendrecv\r\na=rtcp-mux\r\na=rtcp-fb:* ccm fir\r\na=mid:video-1\r\n"
)

ASTERISK_ANSWER = (
    ASTERISK_OFFER.replace("setup:actpass", "setup:active")
    .replace("audio-0", "0")
    .replace("video-1", "1")
    .replace("m=video 10012", "m=video 0")
)

JANUS_ANSWER = (
    "v=0\r\no=- 1700000000 2 IN IP4 198.51.100.9\r\ns=VideoRoom 1\r\nt=0 0\r\n"
    "a=group:BUNDLE 0\r\na=ice-options:trickle\r\n" + DTLS + "a=extmap-allow-mixed\r\na=msid-semantic: WMS *\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 198.51.100.9\r\na=recvonly\r\na=mid:0\r\na=rtcp-mux\r\n"
    + ICE
    + "a=setup:active\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\na=msid:janus janus0\r\n"
    "a=ssrc:1846743 cname:janus\r\na=candidate:1 1 udp 2015363327 198.51.100.9 40000 typ host\r\n"
    "a=end-of-candidates\r\n"
    "m=video 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 198.51.100.9\r\na=inactive\r\n"
)

JANUS_OFFER = (
    JANUS_ANSWER.replace("setup:active", "setup:actpass")
    .replace("a=recvonly", "a=sendrecv")
    .replace("m=video 0 UDP/TLS/RTP/SAVPF 0", "m=video 9 UDP/TLS/RTP/SAVPF 97")
    .replace("a=inactive\r\n", "a=sendonly\r\na=mid:1\r\na=rtcp-mux\r\n" + ICE + "a=rtpmap:97 VP8/90000\r\n")
)
"""A room's, for whoever subscribes to it."""

PLAIN_RTP_OFFER = (
    "v=0\r\no=- 1 1 IN IP4 203.0.113.5\r\ns=-\r\nc=IN IP4 203.0.113.5\r\nt=0 0\r\n"
    "m=audio 10000 RTP/AVP 0 8\r\na=sendrecv\r\n"
)
