// Every bound on what a peer can make grow, in one place, with its reason. One test holds each.
// A value in Limits can be changed by configuration; the constants are the defaults.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace noded::base {

struct Limits {
  // A distribution packet; OTP sends whole terms up to 4 GiB in one packet when fragments are off.
  // A peer's length field is trusted only this far: a longer one closes the link.
  uint64_t max_packet_bytes = uint64_t{1} << 31;
  // Nesting of a term. Deeper than any real message, shallow enough for a small stack.
  int max_term_depth = 1024;
  // What a compressed term may say it unpacks to.
  uint64_t max_uncompressed_bytes = uint64_t{1} << 28;
  // Elements of one term beyond what its bytes could encode are refused at once; this caps the
  // rest.
  uint64_t max_term_elements = uint64_t{1} << 26;
  // Bytes of one reassembled fragmented message, and how many messages may be in pieces at once.
  uint64_t max_fragmented_bytes = uint64_t{1} << 32;
  size_t max_fragment_sequences = 1024;
  // A handshake message: a name of 255 four-byte characters, host included, and its fields, fit
  // well.
  size_t max_handshake_bytes = 2048;
  // From accept or connect to a finished handshake, TLS included; OTP's net_setuptime.
  std::chrono::milliseconds handshake_timeout{7000};
  // Of it, at most a third, what a peer that may be plain has for the first answer to TLS: a BEAM
  // without TLS would let us wait to the end. One with TLS that is busy may need a second; who is
  // slower still is tried again with TLS.
  std::chrono::milliseconds tls_answer_timeout{2000};
  // Incoming connections still in their handshake. The oldest silent one makes room for a new one.
  size_t max_pending_handshakes = 1024;
  size_t max_pending_handshakes_per_address = 256;
  // Addresses whose failed handshakes are remembered; of more than these the rest goes free.
  size_t max_failing_addresses = 4096;
  // Attempts to connect to a node that come of sending to it: how many may fail before they are
  // held back, for how long then (growing), and for how many nodes that is kept; a peer can make
  // us send to nodes that nobody has heard of.
  int free_connect_failures = 4;
  std::chrono::milliseconds min_reconnect_pause{100};
  std::chrono::milliseconds max_reconnect_pause{5000};
  size_t max_reconnect_pauses = 4096;
  // TLS handshake flight of a peer (certificates included) before the engine gives up.
  size_t max_tls_handshake_bytes = 256 * 1024;
  // On an open TLS connection: KeyUpdates, and records that carry nothing (empty ones, warnings,
  // tickets), in a row without data between them.
  size_t max_tls_key_updates = 32;
  size_t max_tls_idle_records = 32;
  // Renegotiations that a peer may start at once, and what earns it one more: time, as OTP has it,
  // or data. Beyond it is refused, and that as often as this before the connection ends.
  size_t max_tls_renegotiations = 8;
  std::chrono::seconds tls_renegotiation_pause{12};
  uint64_t tls_renegotiation_bytes = 256 * 1024;
  size_t max_tls_refused_renegotiations = 32;
  // Data of a server that has yet to answer a client's renegotiation.
  uint64_t max_tls_bytes_before_answer = 64 * 1024 * 1024;
  // One packet of a TLS socket in a packet mode (packet_size may ask for less).
  size_t max_ssl_packet_bytes = size_t{64} << 20;
  // Messages, and bytes, waiting in one mailbox that nobody reads.
  size_t max_mailbox_messages = 100'000;
  size_t max_mailbox_bytes = size_t{1} << 28;
  // Bytes queued towards one peer before senders are held back, and where they may go on.
  size_t link_high_water_bytes = 1024 * 1024;
  size_t link_low_water_bytes = 256 * 1024;
  // Bytes queued towards a peer that does not read, beyond which its link is cut; one message may
  // go beyond it.
  size_t max_link_queue_bytes = size_t{1} << 29;
  // Links and monitors that other nodes hold to processes of this one.
  size_t max_relations = 1'000'000;
  // epmd: one request of a client (a registration with a name of 255 four-byte characters and as
  // much extra, as epmd itself allows), clients at once, and what an epmd we ask may answer.
  size_t max_epmd_request_bytes = 2056;
  size_t max_epmd_clients = 1024;
  // Nodes that are gone, of which ours still knows the last creation (OTP's keeps 1000 too).
  size_t max_epmd_old_names = 1000;
  size_t max_epmd_reply_bytes = 4 * 1024 * 1024;
  // nodectl tls serve: connections at once (more wait with the kernel), and the head of an HTTP
  // request.
  size_t max_served_connections = 4096;
  size_t max_http_head_bytes = 16 * 1024;
};

}  // namespace noded::base
