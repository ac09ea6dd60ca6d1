// Two engines joined in memory, for tests.
//
//   Pair pair(Mutual(certs, b, Role::kServer), Mutual(certs, a, Role::kClient));
//   Carry(pair.client, pair.server, step);        // until neither has more to say
//   pair.server.received, pair.server.error
//
// One thread.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/testlib/temp_dir.h"
#include "tests/testlib/test_certs.h"
#include "tls/engine.h"
#include "tls/raw_peer.h"

namespace noded::tls {

constexpr char kHost[] = "b.example";

inline std::shared_ptr<const Context> Make(const Options& options, Role role) {
  auto context = Context::Create(options, role);
  EXPECT_TRUE(context.ok()) << context.status();
  return context.ok() ? *std::move(context) : nullptr;
}

// Both sides verify and insist.
inline Options Mutual(const testlib::TestCerts& certs, const testlib::CertFiles& files, Role role) {
  Options options;
  options.identity.certfile = files.cert;
  options.identity.keyfile = files.key;
  options.trust.cacertfile = certs.ca();
  options.trust.verify = Verify::kPeer;
  options.trust.fail_if_no_peer_cert = role == Role::kServer;
  return options;
}

inline void Only(Options& options, Version version) {
  options.versions.tls12 = version == Version::kTls12;
  options.versions.tls13 = version == Version::kTls13;
}

// What one side came to.
struct Side {
  explicit Side(std::shared_ptr<const Context> context, std::string host = "",
                const base::Clock* clock = nullptr)
      : engine(std::move(context), EngineOptions{std::move(host), {}, clock}) {}

  // Everything that can be had without more input.
  void Run() {
    while (error.ok()) {
      auto event = engine.Next();
      if (!event.ok()) {
        error = event.status();
      } else if (!*event) {
        return;
      } else if (auto* done = std::get_if<HandshakeDone>(&**event)) {
        info = done->info;
      } else if (auto* data = std::get_if<Data>(&**event)) {
        received += data->bytes.text();
      } else if (auto* again = std::get_if<Renegotiated>(&**event)) {
        ++renegotiated;
        info = again->info;
      } else if (std::holds_alternative<RenegotiationRejected>(**event)) {
        ++rejected;
      } else if (std::holds_alternative<PeerClosed>(**event)) {
        is_closed = true;
      }
    }
  }

  Engine engine;
  std::optional<ConnectionInfo> info;
  std::string received;
  bool is_closed = false;
  int renegotiated = 0;
  int rejected = 0;
  absl::Status error;
};

// Carries bytes both ways, in pieces of `step`, until neither has more to say.
inline void Carry(Side& a, Side& b, size_t step = SIZE_MAX) {
  bool moved = true;
  while (moved) {
    moved = false;
    for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      from->Run();
      const base::Slice bytes = from->engine.TakeOutput().ToSlice();
      for (size_t at = 0; at < bytes.size(); at += std::min(step, bytes.size() - at)) {
        to->engine.Feed(bytes.Sub(at, step));
        to->Run();
      }
      moved |= !bytes.empty();
    }
  }
}

inline void Send(Side& side, std::string_view text) {
  base::Buffer buffer;
  buffer.Append(text);
  ASSERT_TRUE(side.engine.Write(std::move(buffer)).ok());
}

inline RawPeer::Pem PemOf(const testlib::CertFiles& files) {
  return {testlib::ReadFile(files.cert), testlib::ReadFile(files.key)};
}

// Between an engine and a peer that is driven by hand: once there and back.
inline void Exchange(RawPeer& peer, Side& side) {
  side.engine.Feed(base::ByteView(peer.TakeOutput()));
  side.Run();
  peer.Feed(side.engine.TakeOutput().ToSlice());
}

// A handshake and what the side says after it; false when it did not come about.
inline bool Meet(RawPeer& peer, Side& side) {
  for (int i = 0; i < 10 && !(peer.Shake() && side.info); ++i) Exchange(peer, side);
  if (!side.info) return false;
  Exchange(peer, side);
  return true;
}

// The peer renegotiates, as far as the side lets it.
inline void Renegotiate(RawPeer& peer, Side& side) {
  peer.StartRenegotiation();
  for (int i = 0; i < 10 && side.error.ok(); ++i) {
    Exchange(peer, side);
    (void)peer.Continue();
  }
}

struct Pair {
  Pair(const Options& server_options, const Options& client_options, std::string host = kHost,
       const base::Clock* clock = nullptr)
      : server(Make(server_options, Role::kServer), "", clock),
        client(Make(client_options, Role::kClient), std::move(host), clock) {}
  Pair(std::shared_ptr<const Context> server_context, std::shared_ptr<const Context> client_context,
       std::string host)
      : server(std::move(server_context)), client(std::move(client_context), std::move(host)) {}

  void Carry(size_t step = SIZE_MAX) { tls::Carry(client, server, step); }
  std::string Errors() const {
    return "server: " + server.error.ToString() + "; client: " + client.error.ToString();
  }

  Side server;
  Side client;
};

}  // namespace noded::tls
