#include "tests/bogo/expectations.h"

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "fmt/format.h"

#include "base/bytes.h"
#include "base/status.h"
#include "tests/bogo/settings.h"
#include "tls/ciphers.h"

namespace noded::bogo {
namespace {

template <class Value>
absl::Status Expect(std::string_view what, const Value& wanted, const Value& got) {
  if (wanted == got) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format("expected {} {}, got {}", what, wanted, got));
}

absl::Status CheckCipher(const ConnectionFlags& flags, const tls::ConnectionInfo& info) {
  for (int wanted : {flags.expect_cipher, flags.expect_cipher_aes}) {
    if (wanted == 0) continue;
    const std::string name(tls::CipherSuiteName(static_cast<uint16_t>(wanted)));
    RETURN_IF_ERROR(Expect("cipher suite", name, info.cipher_suite));
  }
  if (flags.expect_curve_id == 0) return absl::OkStatus();
  return Expect("group", GroupName(flags.expect_curve_id), info.group);
}

absl::Status CheckPeerFile(const std::string& path, const tls::ConnectionInfo& info) {
  std::ifstream file(path, std::ios::binary);
  const std::string pem((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  ASSIGN_OR_RETURN(auto wanted, tls::ReadCertificates(base::AsBytes(pem)));
  RETURN_IF_ERROR(Expect("certificates", wanted.size(), info.peer_chain.size()));
  for (size_t i = 0; i < wanted.size(); ++i) {
    RETURN_IF_ERROR(Expect(fmt::format("certificate {}", i), base::ToHex(wanted[i].der),
                           base::ToHex(info.peer_chain[i])));
  }
  return absl::OkStatus();
}

// A client knows its server, and a server that insists its client, but by a pre-shared key.
absl::Status CheckPeer(const ConnectionFlags& flags, const tls::ConnectionInfo& info) {
  const bool is_by_key = info.cipher_suite.find("_PSK_WITH_") != std::string::npos;
  if (!is_by_key && (!flags.is_server || flags.require_any_client_certificate)) {
    RETURN_IF_ERROR(Expect("a peer's certificate", true, info.peer.has_value()));
  }
  if (flags.expect_verify_result && info.peer.has_value()) {
    RETURN_IF_ERROR(Expect("a verified peer", true, info.is_peer_verified));
  }
  return flags.expect_peer_cert_file.empty() ? absl::OkStatus()
                                             : CheckPeerFile(flags.expect_peer_cert_file, info);
}

}  // namespace

absl::Status CheckHandshake(const ConnectionFlags& flags, const tls::ConnectionInfo& info,
                            bool is_resume) {
  const int version = info.version == tls::Version::kTls12 ? 0x0303 : 0x0304;
  if (flags.expect_version != 0) {
    RETURN_IF_ERROR(Expect("version", flags.expect_version, version));
  }
  RETURN_IF_ERROR(CheckCipher(flags, info));
  const bool must_resume = is_resume && !flags.expect_session_miss;
  RETURN_IF_ERROR(Expect("a resumed session", must_resume, info.is_resumed));
  RETURN_IF_ERROR(
      Expect("ALPN", flags.is_server ? flags.select_alpn : flags.expect_alpn, info.alpn));
  if (!flags.expect_server_name.empty()) {
    RETURN_IF_ERROR(Expect("server name", flags.expect_server_name, info.server_name));
  }
  return CheckPeer(flags, info);
}

absl::Status CheckRenegotiations(const ConnectionFlags& flags, int count) {
  return Expect("renegotiations", flags.expect_total_renegotiations, count);
}

}  // namespace noded::bogo
