// The TLS engine from any bytes, as server and as client: no crash, no endless loop, errors that
// stay, and an alert for whoever was misunderstood. The first byte chooses role and cuts.
#include <chrono>
#include <cstdint>
#include <cstdlib>

#include "tls/engine.h"
#include "tls/issue.h"

namespace {

using noded::base::ByteView;
using namespace noded::tls;

void Require(bool claim) {
  if (!claim) std::abort();
}

std::shared_ptr<const Context> Make(Role role) {
  const Validity year = ValidFor(
      std::chrono::days(365),
      std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now()));
  auto authority = IssueAuthority({.common_name = "fuzz CA", .validity = year});
  Require(authority.ok());
  CertificateRequest request{.common_name = "b.example", .validity = year};
  AddHost(request, "b.example");
  auto node = IssueNode(*authority, request);
  Require(node.ok());
  Options options;
  options.identity.certs = {noded::base::Slice::Copy(node->cert_pem)};
  options.identity.key = node->key_pem;
  options.trust.cacerts = {noded::base::Slice::Copy(authority->cert_pem)};
  options.trust.verify = Verify::kPeer;
  options.alpn.protocols = {"erl"};
  auto context = Context::Create(options, role);
  Require(context.ok());
  return *std::move(context);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::shared_ptr<const Context> server = Make(Role::kServer);
  static const std::shared_ptr<const Context> client = Make(Role::kClient);
  if (size == 0) return 0;
  const bool is_client = (data[0] & 1) != 0;
  const size_t step = data[0] >> 1 == 0 ? SIZE_MAX : data[0] >> 1;
  ByteView rest(data + 1, size - 1);

  noded::base::Limits limits;
  limits.max_tls_handshake_bytes = 64 * 1024;
  Engine engine(is_client ? client : server, {"b.example", limits});
  bool has_failed = false;
  auto run = [&] {
    while (!has_failed) {
      auto event = engine.Next();
      has_failed = !event.ok();
      if (has_failed || !*event) break;
      // Nobody without the key gets through a handshake.
      Require(!std::holds_alternative<HandshakeDone>(**event));
    }
  };
  run();
  while (!rest.empty() && !has_failed) {
    const ByteView piece = rest.first(std::min(step, rest.size()));
    rest = rest.subspan(piece.size());
    engine.Feed(piece);
    run();
  }
  engine.FeedEnd();
  run();
  Require(has_failed && !engine.is_handshake_done());
  const auto again = engine.Next();
  Require(!again.ok());
  Require(engine.TakeOutput().size() < 64 * 1024);
  return 0;
}
