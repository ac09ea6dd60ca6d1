// Two TLS engines joined in memory, for tests of what they come to.
//
//   EnginePair pair(server_options, client_options, "b.example");
//   pair.Carry();                                        // until neither has more to say
//   ASSERT_TRUE(pair.server.info) << pair.Errors();
//
// One thread at a time.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/testlib/test_certs.h"
#include "tls/engine.h"

namespace noded::testlib {

// What one side came to.
struct EngineSide {
  explicit EngineSide(std::shared_ptr<const tls::Context> context, std::string host = "")
      : engine(std::move(context), {std::move(host), {}}) {}

  // Everything that can be had without more input.
  void Run() {
    while (error.ok()) {
      auto event = engine.Next();
      if (!event.ok()) {
        error = event.status();
      } else if (!*event) {
        return;
      } else if (auto* done = std::get_if<tls::HandshakeDone>(&**event)) {
        info = done->info;
      } else if (auto* data = std::get_if<tls::Data>(&**event)) {
        received += data->bytes.text();
      }
    }
  }

  void Send(std::string_view text) {
    base::Buffer buffer;
    buffer.Append(text);
    const absl::Status status = engine.Write(std::move(buffer));
    EXPECT_TRUE(status.ok()) << status;
  }

  tls::Engine engine;
  std::optional<tls::ConnectionInfo> info;
  std::string received;
  absl::Status error;
};

inline std::shared_ptr<const tls::Context> MakeContext(const tls::Options& options,
                                                       tls::Role role) {
  auto context = tls::Context::Create(options, role);
  EXPECT_TRUE(context.ok()) << context.status();
  return context.ok() ? *std::move(context) : nullptr;
}

struct EnginePair {
  EnginePair(std::shared_ptr<const tls::Context> server_context,
             std::shared_ptr<const tls::Context> client_context, std::string host)
      : server(std::move(server_context)), client(std::move(client_context), std::move(host)) {}
  EnginePair(const tls::Options& server_options, const tls::Options& client_options,
             std::string host = "b.example")
      : EnginePair(MakeContext(server_options, tls::Role::kServer),
                   MakeContext(client_options, tls::Role::kClient), std::move(host)) {}

  // Carries bytes both ways, in pieces of `step`.
  void Carry(size_t step = SIZE_MAX) {
    bool moved = true;
    while (moved) {
      moved = false;
      for (auto [from, to] : {std::pair(&client, &server), std::pair(&server, &client)}) {
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

  std::string Errors() const {
    return fmt::format("server: {}; client: {}", server.error.ToString(), client.error.ToString());
  }

  EngineSide server;
  EngineSide client;
};

// Both sides verify and insist.
inline tls::Options MutualOptions(const TestCerts& certs, const CertFiles& files, tls::Role role) {
  tls::Options options;
  options.identity.certfile = files.cert;
  options.identity.keyfile = files.key;
  options.trust.cacertfile = certs.ca();
  options.trust.verify = tls::Verify::kPeer;
  options.trust.fail_if_no_peer_cert = role == tls::Role::kServer;
  return options;
}

inline void OnlyVersion(tls::Options& options, tls::Version version) {
  options.versions.tls12 = version == tls::Version::kTls12;
  options.versions.tls13 = version == tls::Version::kTls13;
}

}  // namespace noded::testlib
