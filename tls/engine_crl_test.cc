// A handshake that waits for revocation lists: the engine's CrlsWanted and Resume().
#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/mint.h"
#include "tls/engine.h"

namespace noded::tls {
namespace {

using testlib::kAuthority;
using testlib::Mint;
using testlib::MintCrl;
using testlib::Minted;

constexpr char kUri[] = "http://crl.example/a.crl";

// Knows the list once it was "fetched".
class FetchedCache : public CrlCache {
 public:
  CrlAnswer Lookup(const CrlQuery& query) override {
    if (crl.empty()) return {{}, query.uris};
    return {{crl}, {}};
  }
  std::vector<base::Slice> Select(const base::Slice&) override { return {}; }
  absl::Status Fetch(const std::string&) override { return absl::OkStatus(); }
  base::Slice FreshCrl(const CrlQuery&, const base::Slice& old) override { return old; }
  base::Slice crl;
};

struct Side {
  Side(const Options& options, Role role, std::string host)
      : engine(*Context::Create(options, role), {std::move(host), {}}) {}

  void Run() {
    while (error.ok()) {
      auto event = engine.Next();
      if (!event.ok()) {
        error = event.status();
      } else if (!*event) {
        return;
      } else if (auto* wanted = std::get_if<CrlsWanted>(&**event)) {
        uris = wanted->uris;
      } else {
        is_open = true;
      }
    }
  }

  Engine engine;
  bool is_open = false;
  std::vector<std::string> uris;
  absl::Status error;
};

void Carry(Side& a, Side& b) {
  for (bool moved = true; moved;) {
    moved = false;
    for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      from->Run();
      const base::Slice bytes = from->engine.TakeOutput().ToSlice();
      if (bytes.empty()) continue;
      to->engine.Feed(bytes);
      moved = true;
    }
  }
}

TEST(EngineCrlTest, TheHandshakeWaitsForListsAndGoesByThem) {
  const Minted root = Mint({.name = "Root", .extensions = kAuthority});
  const Minted peer = Mint({.name = "b",
                            .extensions = "subjectAltName=DNS:b.example\n"
                                          "crlDistributionPoints=URI:http://crl.example/a.crl\n"},
                           &root);
  for (Version version : {Version::kTls12, Version::kTls13}) {
    for (const char* wanted : {"", "certificate_revoked", "bad_certificate"}) {
      Options server, client;
      server.identity.certs = {base::Slice::Copy(peer.pem())};
      server.identity.key = Secret(peer.key_pem());
      server.versions.tls12 = version == Version::kTls12;
      server.versions.tls13 = version == Version::kTls13;
      auto cache = std::make_shared<FetchedCache>();
      client.trust.cacerts = {base::Slice::Copy(root.pem())};
      client.trust.verify = Verify::kPeer;
      client.revocation = {.check = CrlCheck::kPeer, .cache = cache};
      Side us(client, Role::kClient, "b.example"), them(server, Role::kServer, "");
      Carry(us, them);
      ASSERT_EQ(us.uris, std::vector<std::string>{kUri}) << us.error << them.error;
      EXPECT_FALSE(us.is_open || them.is_open);
      Carry(us, them);
      EXPECT_FALSE(us.is_open) << "it goes on only when it is told to";

      const std::string expected = wanted;
      if (expected.empty()) cache->crl = MintCrl(root, {});
      if (expected == "certificate_revoked") {
        cache->crl = MintCrl(root, {.revoked = {{&peer, "keyCompromise"}}});
      }
      us.engine.Resume();
      Carry(us, them);
      EXPECT_EQ(us.is_open, expected.empty()) << us.error;
      if (!expected.empty()) {
        EXPECT_EQ(base::ReasonOf(us.error), expected) << us.error;
        EXPECT_EQ(base::ReasonOf(them.error), expected) << them.error;
      }
    }
  }
}

}  // namespace
}  // namespace noded::tls
