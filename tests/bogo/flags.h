// What BoringSSL's BoGo runner asks of a shim, taken from the command line.
//
//   auto flags = ParseFlags({"-port", "4711", "-shim-id", "7", "-server", "-on-resume-expect-alpn",
//   "a"}); if (absl::IsUnimplemented(flags.status())) return 89;   // a flag that this shim does
//   not know Connect(flags->port); Exchange(flags->ForConnection(1));
//
// Plain values. A flag that stands in ConnectionFlags has an effect; one whose effect an Engine has
// anyway is known and ignored (flags.cc says why); all others are unknown. Errors: Unimplemented
// for an unknown flag, InvalidArgument for a value that is missing or no number. Source: BoringSSL,
// ssl/test/PORTING.md and test_config.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace noded::bogo {

// Who we are, and what is offered: what makes a context. Numbers are those of the protocol.
struct OfferFlags {
  bool is_server = false;
  std::string key_file, cert_file, trust_cert;
  std::string host_name;
  std::string cipher;
  std::vector<int> curves, signing_prefs, verify_prefs;
  int min_version = 0, max_version = 0;
  bool no_tls13 = false, no_tls12 = false, no_tls11 = false, no_tls1 = false;
  bool server_preference = false;
  std::string advertise_alpn;  // each protocol with its length before it
  std::string select_alpn;
  bool decline_alpn = false, reject_alpn = false;
  bool verify_peer = false, require_any_client_certificate = false;
  bool verify_fail = false, use_custom_verify_callback = false;
  bool renegotiate_freely = false;
  std::string psk, psk_identity;

  bool operator==(const OfferFlags&) const = default;
};

// Of one connection; a flag without the prefix -on-initial or -on-resume is set in all.
struct ConnectionFlags : OfferFlags {
  // What is done with the connection.
  bool async = false;  // one byte at a time
  bool shim_writes_first = false, shim_shuts_down = false, check_close_notify = false;
  bool write_different_record_sizes = false, key_update = false;
  int export_keying_material = 0;
  std::string export_label, export_context;
  bool use_export_context = false, use_exporter_between_reads = false;

  // What must have come of it.
  int expect_version = 0, expect_cipher = 0, expect_cipher_aes = 0, expect_curve_id = 0;
  std::string expect_alpn, expect_server_name, expect_peer_cert_file;
  bool expect_session_miss = false, expect_verify_result = false;
  int expect_total_renegotiations = 0;
};

struct Flags {
  int port = 0;
  bool ipv6 = false;
  std::string shim_id = "0";  // 64 bits, decimal
  int resume_count = 0;       // connections after the first
  // Print whether handshakes may be split between processes, and end.
  bool is_handshaker_supported = false;
  ConnectionFlags initial, resume;

  const ConnectionFlags& ForConnection(int index) const { return index == 0 ? initial : resume; }
};

// Without the program's name.
absl::StatusOr<Flags> ParseFlags(const std::vector<std::string>& arguments);

}  // namespace noded::bogo
