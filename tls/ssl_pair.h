// Two ends of a TLS connection over TCP on the loopback, for the tests of tls/ssl.h, with TLS 1.2
// and 1.3.
//
//   class MyTest : public SslPair {};
//   INSTANTIATE_TEST_SUITE_P(Versions, MyTest, kBothVersions, VersionText);
//   TEST_P(MyTest, Talks) { Meet(); EXPECT_TRUE(client_->Send("hello").ok()); ... }
#pragma once

#include <future>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/test_certs.h"
#include "tls/ssl.h"

namespace noded::tls {

inline const auto kBothVersions = testing::Values(Version::kTls12, Version::kTls13);
inline std::string VersionText(const testing::TestParamInfo<Version>& info) {
  return info.param == Version::kTls12 ? "Tls12" : "Tls13";
}

// Long enough for a loaded machine: it only passes when a test fails.
inline constexpr Timeout kPatience{60'000};

class SslPair : public testing::TestWithParam<Version> {
 protected:
  explicit SslPair(SslParameters parameters = {}) {
    parameters.protocol_version.tls12 = GetParam() == Version::kTls12;
    parameters.protocol_version.tls13 = GetParam() == Version::kTls13;
    auto ssl = Ssl::Start(std::move(parameters));
    EXPECT_TRUE(ssl.ok()) << ssl.status();
    ssl_ = *std::move(ssl);
  }

  // Both verify the other; the server is b.example.
  Options OptionsFor(Role role) const {
    Options options = ssl_->Defaults(role);
    const testlib::CertFiles& files = role == Role::kServer ? b_ : a_;
    options.identity.certfile = files.cert;
    options.identity.keyfile = files.key;
    options.trust.cacertfile = certs_.ca();
    options.trust.verify = Verify::kPeer;
    options.trust.fail_if_no_peer_cert = role == Role::kServer;
    if (role == Role::kClient) {
      options.trust.name_check = NameCheck::kGiven;
      options.trust.server_name = "b.example";
    }
    return options;
  }

  void ListenAt(SslListenOptions listen = {}) {
    listen.ip = "127.0.0.1";
    auto listener = ssl_->Listen(0, OptionsFor(Role::kServer), std::move(listen));
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
  }
  // On a thread of its own: the next connection, after its handshake.
  std::future<absl::StatusOr<std::unique_ptr<SslSocket>>> Accept(SocketSetup setup = {}) {
    return std::async(
        std::launch::async,
        [this, setup = std::move(setup)]() -> absl::StatusOr<std::unique_ptr<SslSocket>> {
          auto accepted = listener_->TransportAccept(kPatience);
          if (!accepted.ok()) return accepted.status();
          return ssl_->Handshake(*std::move(accepted), setup);
        });
  }
  void Meet(SocketSetup server = {}, SocketSetup client = {}) {
    if (listener_ == nullptr) ListenAt();
    auto accepted = Accept(std::move(server));
    auto connected =
        ssl_->Connect("127.0.0.1", listener_->port(), OptionsFor(Role::kClient), std::move(client));
    auto far = accepted.get();
    ASSERT_TRUE(connected.ok()) << connected.status();
    ASSERT_TRUE(far.ok()) << far.status();
    client_ = *std::move(connected);
    server_ = *std::move(far);
  }

  static std::string Text(const absl::StatusOr<base::Slice>& bytes) {
    return bytes.ok() ? std::string(bytes->text()) : "!" + base::ReasonOf(bytes.status());
  }
  static std::string Reason(const absl::Status& status) {
    return status.ok() ? "ok" : base::ReasonOf(status);
  }

  testlib::TestCerts certs_;
  testlib::CertFiles a_ = certs_.Node("a@a.example");
  testlib::CertFiles b_ = certs_.Node("b@b.example");
  std::unique_ptr<Ssl> ssl_;
  std::unique_ptr<SslListener> listener_;
  std::unique_ptr<SslSocket> client_, server_;
};

}  // namespace noded::tls
