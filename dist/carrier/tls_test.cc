#include "dist/carrier/tls.h"

#include <future>

#include <gtest/gtest.h>

#include "base/status.h"
#include "dist/carrier/listener.h"
#include "dist/carrier/tcp.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/start_task.h"
#include "tests/testlib/test_certs.h"

namespace noded::dist {
namespace {

using base::Loop;
using base::ReasonOf;
using base::Stream;
using base::Task;
using testlib::CertFiles;
using testlib::Start;
using testlib::TestCerts;
using StreamResult = absl::StatusOr<std::unique_ptr<Stream>>;

base::TimePoint Soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(60); }

std::shared_ptr<const tls::Context> Make(const TestCerts& certs, const CertFiles& files,
                                         tls::Role role) {
  tls::Options options;
  options.identity.certfile = files.cert;
  options.identity.keyfile = files.key;
  options.trust.cacertfile = certs.ca();
  options.trust.verify = tls::Verify::kPeer;
  options.trust.fail_if_no_peer_cert = role == tls::Role::kServer;
  auto context = tls::Context::Create(options, role);
  EXPECT_TRUE(context.ok()) << context.status();
  return context.ok() ? *std::move(context) : nullptr;
}

Task<StreamResult> AcceptSecurely(Loop* loop, Listener* listener, Carrier* carrier) {
  StreamResult raw = co_await listener->Accept(*loop);
  if (!raw.ok()) co_return raw.status();
  StreamResult secure = co_await carrier->Secure(*std::move(raw), Soon());
  co_return secure;
}

Task<absl::StatusOr<std::string>> Echo(Stream* from, Stream* to) {
  base::Buffer hello;
  hello.Append("hello");
  absl::Status written = co_await from->Write(std::move(hello));
  if (!written.ok()) co_return written;
  absl::StatusOr<base::Slice> bytes = co_await to->Read();
  if (!bytes.ok()) co_return bytes.status();
  co_return std::string(bytes->text());
}

// One connection on the loopback address.
struct Meeting {
  StreamResult near = absl::UnknownError("");
  StreamResult far = absl::UnknownError("");
};

Meeting Meet(Loop& loop, Carrier& carrier, const char* node_host) {
  auto listener = Listener::Listen(loop, carrier.is_v6(), {});
  EXPECT_TRUE(listener.ok()) << listener.status();
  auto accepted = Start(loop, AcceptSecurely(&loop, listener->get(), &carrier));
  Target target{carrier.is_v6() ? "::1" : "127.0.0.1", (*listener)->port(), node_host};
  auto connected = Start(loop, carrier.Connect(loop, target, Soon()));
  Meeting meeting{connected.get(), accepted.get()};
  loop.Run([&] { (*listener)->Close(); });
  return meeting;
}

TEST(TlsCarrierTest, ConnectsWithMutualAuthenticationInBothFamilies) {
  Loop loop;
  TestCerts certs;
  for (bool is_v6 : {false, true}) {
    ASSERT_TRUE(!is_v6 || testlib::HasIpv6Loopback());
    auto carrier = MakeTlsCarrier(is_v6, Make(certs, certs.Node("b@b.example"), tls::Role::kServer),
                                  Make(certs, certs.Node("a@a.example"), tls::Role::kClient));
    EXPECT_EQ(carrier->name(), is_v6 ? "inet6_tls" : "inet_tls");
    EXPECT_EQ(carrier->is_v6(), is_v6);
    EXPECT_TRUE(carrier->is_secure());
    EXPECT_TRUE(carrier->Warnings().empty());
    Meeting meeting = Meet(loop, *carrier, "b.example");
    ASSERT_TRUE(meeting.near.ok()) << meeting.near.status();
    ASSERT_TRUE(meeting.far.ok()) << meeting.far.status();
    Stream &near = **meeting.near, &far = **meeting.far;
    ASSERT_TRUE(near.peer().tls && far.peer().tls);
    EXPECT_EQ(near.peer().tls->version, "tlsv1.3");
    EXPECT_EQ(near.peer().tls->peer_dns_names, std::vector<std::string>{"b.example"});
    EXPECT_EQ(far.peer().tls->peer_dns_names, std::vector<std::string>{"a.example"});
    EXPECT_EQ(far.peer().tls->sni, "b.example");
    EXPECT_EQ(far.peer().tls->peer_fingerprint_sha256.size(), 64u);
    EXPECT_EQ(far.peer().address, is_v6 ? "::1" : "127.0.0.1");
    for (auto [from, to] : {std::pair(&near, &far), std::pair(&far, &near)}) {
      auto text = Start(loop, Echo(from, to)).get();
      ASSERT_TRUE(text.ok()) << text.status();
      EXPECT_EQ(*text, "hello");
    }
    EXPECT_TRUE(Start(loop, near.Close()).get().ok());
    auto end = Start(loop, far.Read()).get();
    ASSERT_TRUE(end.ok()) << end.status();
    EXPECT_TRUE(end->empty());
  }
}

TEST(TlsCarrierTest, AReconnectGoesOnWithTheSessionAndStillKnowsThePeer) {
  Loop loop;
  TestCerts certs;
  auto carrier = MakeTlsCarrier(false, Make(certs, certs.Node("b@b.example"), tls::Role::kServer),
                                Make(certs, certs.Node("a@a.example"), tls::Role::kClient));
  auto listener = Listener::Listen(loop, false, {});
  ASSERT_TRUE(listener.ok()) << listener.status();
  std::string fingerprint;
  for (bool is_second : {false, true}) {
    auto accepted = Start(loop, AcceptSecurely(&loop, listener->get(), carrier.get()));
    Target target{"127.0.0.1", (*listener)->port(), "b.example"};
    StreamResult near = Start(loop, carrier->Connect(loop, target, Soon())).get();
    StreamResult far = accepted.get();
    ASSERT_TRUE(near.ok()) << near.status();
    ASSERT_TRUE(far.ok()) << far.status();
    for (auto [from, to] : {std::pair(&**near, &**far), std::pair(&**far, &**near)}) {
      auto text = Start(loop, Echo(from, to)).get();
      ASSERT_TRUE(text.ok()) << text.status();
    }
    const base::TlsFacts& client = *(*near)->peer().tls;
    const base::TlsFacts& server = *(*far)->peer().tls;
    EXPECT_EQ(client.is_resumed, is_second);
    EXPECT_EQ(server.is_resumed, is_second);
    EXPECT_EQ(client.peer_dns_names, std::vector<std::string>{"b.example"});
    EXPECT_EQ(server.peer_dns_names, std::vector<std::string>{"a.example"});
    EXPECT_EQ(server.sni, "b.example");
    EXPECT_FALSE(server.peer_certificate_der.empty());
    EXPECT_TRUE(!is_second || server.peer_fingerprint_sha256 == fingerprint);
    fingerprint = server.peer_fingerprint_sha256;
    loop.Run([&] {
      near = absl::UnknownError("dropped");
      far = absl::UnknownError("dropped");
    });
  }
  loop.Run([&] { (*listener)->Close(); });
}

TEST(TlsCarrierTest, RefusesTheWrongHostOnBothSidesAndNamesThePeer) {
  Loop loop;
  TestCerts certs;
  auto carrier = MakeTlsCarrier(false, Make(certs, certs.Node("b@b.example"), tls::Role::kServer),
                                Make(certs, certs.Node("a@a.example"), tls::Role::kClient));
  Meeting meeting = Meet(loop, *carrier, "c.example");
  EXPECT_EQ(meeting.near.status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(ReasonOf(meeting.near.status()), "handshake_failure");
  EXPECT_NE(meeting.near.status().message().find("127.0.0.1:"), std::string::npos);
  EXPECT_EQ(ReasonOf(meeting.far.status()), "handshake_failure");
}

TEST(TlsCarrierTest, APlainPeerIsToldFromATlsPeer) {
  Loop loop;
  TestCerts certs;
  auto carrier = MakeTlsCarrier(false, Make(certs, certs.Node("b@b.example"), tls::Role::kServer),
                                Make(certs, certs.Node("a@a.example"), tls::Role::kClient));
  auto listener = Listener::Listen(loop, false, {});
  ASSERT_TRUE(listener.ok());
  auto accepted = Start(loop, AcceptSecurely(&loop, listener->get(), carrier.get()));
  auto plain = MakeTcpCarrier(false);
  Target target{"127.0.0.1", (*listener)->port(), ""};
  StreamResult near = Start(loop, plain->Connect(loop, target, Soon())).get();
  ASSERT_TRUE(near.ok());
  base::Buffer name;
  name.Append(std::string_view("\x00\x15N\x00\x00\x00\x0d\xf7\xdf\x7f\xbd", 11));
  EXPECT_TRUE(Start(loop, (*near)->Write(std::move(name))).get().ok());
  auto alert = Start(loop, (*near)->Read()).get();
  ASSERT_TRUE(alert.ok()) << alert.status();
  EXPECT_EQ(base::ToHex(alert->view()), "1503030002020a");
  loop.Run([&] { near->reset(); });
  const absl::Status refused = accepted.get().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(refused.message().find("plain distribution"), std::string::npos) << refused;
  loop.Run([&] { (*listener)->Close(); });
}

TEST(TlsCarrierTest, GivesUpOnASilentPeerAtTheDeadline) {
  Loop loop;
  TestCerts certs;
  auto carrier =
      MakeTlsCarrier(false, nullptr, Make(certs, certs.Node("a@a.example"), tls::Role::kClient));
  auto listener = Listener::Listen(loop, false, {});
  ASSERT_TRUE(listener.ok());
  Target target{"127.0.0.1", (*listener)->port(), "b.example"};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  StreamResult late = Start(loop, carrier->Connect(loop, target, deadline)).get();
  EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(ReasonOf(late.status()), "timeout");
  EXPECT_NE(late.status().message().find("TLS handshake"), std::string::npos) << late.status();
  loop.Run([&] { (*listener)->Close(); });
}

TEST(TlsCarrierTest, VerifyClientLetsInWhoComesFromWhereItsCertificateSays) {
  Loop loop;
  TestCerts certs;
  auto server = std::make_shared<tls::ContextSource>(
      Make(certs, certs.Node("b@b.example"), tls::Role::kServer));
  const auto reason = [&](const char* client, std::vector<std::string> allowed) {
    auto source =
        std::make_shared<tls::ContextSource>(Make(certs, certs.Node(client), tls::Role::kClient));
    auto carrier = MakeTlsCarrier(false, server, source, std::move(allowed));
    Meeting meeting = Meet(loop, *carrier, "b.example");
    const std::string found = meeting.far.ok() ? "let in" : ReasonOf(meeting.far.status());
    loop.Run([&] { meeting = Meeting(); });
    return found;
  };
  EXPECT_EQ(reason("a@127.0.0.1", {}), "let in");
  EXPECT_EQ(reason("a@a.example", {}), "cert_no_hostname_nor_ip_match");
  EXPECT_EQ(reason("a@a.example", {"x@a.example"}), "let in");
}

TEST(TlsCarrierTest, SaysWhichSideHasNoOptionsAndPassesWarningsOn) {
  Loop loop;
  TestCerts certs;
  const std::shared_ptr<tls::ContextSource> nothing;
  auto none = MakeTlsCarrier(false, nothing, nothing);
  Target target{"127.0.0.1", 1, "b.example"};
  const auto refused = Start(loop, none->Connect(loop, target, Soon())).get();
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);

  tls::Options open;
  open.identity.certfile = certs.InOne(certs.Node("b@b.example"));
  auto server = tls::Context::Create(open, tls::Role::kServer);
  ASSERT_TRUE(server.ok()) << server.status();
  auto carrier = MakeTlsCarrier(false, *server, nullptr);
  ASSERT_FALSE(carrier->Warnings().empty());
  EXPECT_NE(carrier->Warnings()[0].what.find("verify_none"), std::string::npos);
  EXPECT_NE(carrier->Warnings()[0].mend.find("server_cacertfile"), std::string::npos);
}

}  // namespace
}  // namespace noded::dist
