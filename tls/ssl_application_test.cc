// The application itself: start and stop, its parameters, and the functions without a socket.
#include <atomic>
#include <set>

#include "base/tcp_connect.h"
#include "tests/testlib/temp_dir.h"
#include "tls/ciphers.h"
#include "tls/memory_session_cache.h"
#include "tls/ssl_pair.h"

namespace noded::tls {
namespace {

class SslApplicationTest : public SslPair {};
INSTANTIATE_TEST_SUITE_P(Versions, SslApplicationTest, kBothVersions, VersionText);

TEST_P(SslApplicationTest, StoppingEndsEverythingAndRefusesWhatIsNew) {
  Meet();
  auto receiving = std::async(std::launch::async, [this] { return server_->Recv(0); });
  auto accepting = std::async(std::launch::async, [this] { return listener_->TransportAccept(); });
  EXPECT_EQ(Text(server_->Recv(0, Timeout(20))), "!timeout");
  EXPECT_EQ(ssl_->open_sockets(), 3u);
  ssl_->Stop();
  ssl_->Stop();
  EXPECT_EQ(ssl_->open_sockets(), 0u);
  EXPECT_EQ(Text(receiving.get()), "!closed");
  EXPECT_EQ(base::ReasonOf(accepting.get().status()), "closed");
  EXPECT_EQ(Reason(client_->Send("x")), "closed");
  auto late = ssl_->Connect("127.0.0.1", listener_->port(), OptionsFor(Role::kClient));
  EXPECT_EQ(base::ReasonOf(late.status()), "closed");
  EXPECT_EQ(base::ReasonOf(ssl_->Listen(0, OptionsFor(Role::kServer)).status()), "closed");
}

TEST_P(SslApplicationTest, StoppingCutsAHandshake) {
  ListenAt();
  base::Loop& loop = ssl_->NextLoop();
  auto plain = base::Await(loop, base::ConnectTcp(loop, "127.0.0.1", listener_->port(),
                                                  base::AddressFamily::kV4, DeadlineOf(kPatience)));
  ASSERT_TRUE(plain.ok());
  auto shaking = Accept();  // with a client that says nothing
  while (ssl_->open_sockets() < 2) std::this_thread::yield();
  ssl_->Stop();
  EXPECT_EQ(base::ReasonOf(shaking.get().status()), "closed");
  loop.Run([&] { plain->reset(); });
}

TEST_P(SslApplicationTest, AListenerFollowsAReplacedCertificate) {
  testlib::TempDir dir;
  const auto install = [&](const testlib::CertFiles& files) {
    dir.Write("cert.pem", testlib::ReadFile(files.cert));
    dir.Write("key.pem", testlib::ReadFile(files.key));
  };
  install(b_);
  Options options = OptionsFor(Role::kServer);
  options.identity = {.certfile = dir.File("cert.pem"), .keyfile = dir.File("key.pem")};
  options.sessions.reuse_sessions = false;  // a resumed session shows what it began with
  auto listener = ssl_->Listen(0, options, {.ip = "127.0.0.1"});
  ASSERT_TRUE(listener.ok()) << listener.status();
  listener_ = *std::move(listener);
  Meet();
  ASSERT_TRUE(client_ != nullptr);
  const auto old_client = std::move(client_), old_server = std::move(server_);

  const testlib::CertFiles renewed = certs_.Node("c@b.example");
  install(renewed);
  Meet();
  ASSERT_TRUE(client_ != nullptr);
  EXPECT_EQ(client_->PeerCert()->subject, old_client->PeerCert()->subject) << "not looked at yet";
  ClearPemCache();
  Meet();
  ASSERT_TRUE(client_ != nullptr);
  EXPECT_NE(client_->PeerCert()->subject, old_client->PeerCert()->subject);
  EXPECT_TRUE(old_client->Send("still here").ok());
  EXPECT_EQ(Text(old_server->Recv(10, kPatience)), "still here");

  // What cannot be used is not.
  dir.Write("cert.pem", "half a fi");
  ClearPemCache();
  Meet();
  ASSERT_TRUE(client_ != nullptr);
  EXPECT_EQ(Text(server_->Recv(0, Timeout(1))), "!timeout");
}

TEST_P(SslApplicationTest, PatienceWithoutEndDeliversAllTheSame) {
  SslParameters parameters;
  parameters.protocol_version = {.tls12 = GetParam() == Version::kTls12,
                                 .tls13 = GetParam() == Version::kTls13};
  parameters.alert_timeout = kInfinity;
  auto patient = Ssl::Start(parameters);
  ASSERT_TRUE(patient.ok()) << patient.status();
  ListenAt();
  auto accepted = Accept();
  auto socket = (*patient)->Connect("127.0.0.1", listener_->port(), OptionsFor(Role::kClient));
  ASSERT_TRUE(socket.ok()) << socket.status();
  auto far = accepted.get();
  ASSERT_TRUE(far.ok()) << far.status();
  EXPECT_TRUE((*socket)->Send("the last word").ok());
  auto closed = std::async(std::launch::async, [&] { return (*socket)->Close(); });
  EXPECT_EQ(Text((*far)->Recv(13, kPatience)), "the last word");
  EXPECT_EQ(Text((*far)->Recv(0, kPatience)), "!closed");
  EXPECT_TRUE((*far)->Close().ok());
  EXPECT_TRUE(closed.get().ok());
}

TEST_P(SslApplicationTest, TheIntervalOfThePemCacheIsNotBelowZero) {
  SslParameters parameters;
  parameters.ssl_pem_cache_clean = std::chrono::milliseconds(-1);
  const absl::Status refused = Ssl::Start(parameters).status();
  EXPECT_NE(refused.message().find("ssl_pem_cache_clean"), std::string::npos) << refused;
}

TEST_P(SslApplicationTest, DefaultsCarryTheParameters) {
  SslParameters parameters;
  parameters.protocol_version = {.tls12 = true, .tls13 = false};
  parameters.session_lifetime = std::chrono::seconds(60);
  parameters.session_cache_client_max = 7;
  parameters.session_cache_server_max = 9;
  std::vector<Role> asked;
  parameters.session_cb = [&](Role role) -> absl::StatusOr<std::shared_ptr<SessionCache>> {
    asked.push_back(role);
    return std::make_shared<MemorySessionCache>(3);
  };
  auto ssl = Ssl::Start(parameters);
  ASSERT_TRUE(ssl.ok()) << ssl.status();
  EXPECT_EQ(asked, (std::vector<Role>{Role::kClient, Role::kServer})) << "once for each role";
  const Options client = (*ssl)->Defaults(Role::kClient), server = (*ssl)->Defaults(Role::kServer);
  EXPECT_TRUE(client.versions.tls12 && !client.versions.tls13);
  EXPECT_EQ(client.sessions.lifetime, std::chrono::seconds(60));
  EXPECT_EQ(client.sessions.cache_max, 7u);
  EXPECT_EQ(server.sessions.cache_max, 9u);
  EXPECT_EQ(client.traffic.alert_timeout, std::chrono::milliseconds(5000));
  EXPECT_NE(client.sessions.cache, nullptr);
  EXPECT_NE(client.sessions.cache, server.sessions.cache);
}

TEST_P(SslApplicationTest, TheCachesItMakesHoldNoMoreThanTheParametersSay) {
  SslParameters parameters;
  parameters.session_cache_client_max = 2;
  parameters.session_cache_server_max = 3;
  auto ssl = Ssl::Start(parameters);
  ASSERT_TRUE(ssl.ok()) << ssl.status();
  for (const auto& [role, most] : {std::pair(Role::kClient, 2u), {Role::kServer, 3u}}) {
    const auto cache = (*ssl)->Defaults(role).sessions.cache;
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    for (int i = 0; i < 10; ++i) {
      cache->Update({"peer", base::Slice::Copy(std::to_string(i))},
                    {base::Slice::Copy("session"), now, now + std::chrono::hours(1), false});
    }
    EXPECT_EQ(cache->size(), most);
  }
}

TEST_P(SslApplicationTest, AClientVerifiesUnlessItIsToldNotTo) {
  ListenAt();
  Options options = OptionsFor(Role::kClient);
  options.trust.verify = std::nullopt;
  options.trust.cacertfile.clear();
  const auto unsaid = ssl_->Connect("127.0.0.1", listener_->port(), options);
  EXPECT_EQ(unsaid.status().code(), absl::StatusCode::kInvalidArgument) << unsaid.status();
  EXPECT_NE(unsaid.status().message().find("client_cacertfile"), std::string::npos)
      << unsaid.status();
  options.trust.verify = Verify::kNone;
  auto accepted = Accept();
  auto told = ssl_->Connect("127.0.0.1", listener_->port(), options);
  EXPECT_TRUE(accepted.get().ok() && told.ok()) << told.status();
}

TEST_P(SslApplicationTest, WarnsOnceOfWhatIsNotAsItShouldBe) {
  ListenAt();
  Options options = OptionsFor(Role::kClient);
  options.trust.verify = Verify::kNone;
  options.traffic.keylog = [](std::string_view) {};
  testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ssl_->MakeContext(options, Role::kClient).ok());
  const std::string log = testing::internal::GetCapturedStderr();
  for (const char* part : {"client_keylog writes down", "verify_none"}) {
    const size_t first = log.find(part);
    EXPECT_NE(first, std::string::npos) << log;
    EXPECT_EQ(log.find(part, log.find('\n', first)), std::string::npos) << log;
  }
}

TEST_P(SslApplicationTest, LogsAlertsUnlessToldNotTo) {
  ListenAt();
  for (const bool is_on : {true, false}) {
    Options stranger = OptionsFor(Role::kClient);
    stranger.trust.cacertfile = certs_.untrusted_ca();
    stranger.traffic.log_alert = is_on;
    testing::internal::CaptureStderr();
    auto accepted = Accept();
    EXPECT_FALSE(ssl_->Connect("127.0.0.1", listener_->port(), stranger).ok());
    EXPECT_FALSE(accepted.get().ok());
    const std::string log = testing::internal::GetCapturedStderr();
    EXPECT_NE(log.find("tls_alert"), std::string::npos) << "the server's";
    const bool has_clients = log.find("role=client reason=unknown_ca") != std::string::npos;
    EXPECT_EQ(has_clients, is_on) << log;
  }
}

TEST_P(SslApplicationTest, ALaterConnectionGoesOnWithASession) {
  for (const bool is_resumed : {false, true}) {
    Meet();
    for (const auto& side : {client_.get(), server_.get()}) {
      const auto information = side->GetConnectionInformation();
      ASSERT_TRUE(information.ok()) << information.status();
      EXPECT_EQ(information->agreed.is_resumed, is_resumed);
      EXPECT_TRUE(information->agreed.is_peer_verified);
    }
    // Tickets of TLS 1.3 come before the first data.
    EXPECT_TRUE(server_->Send("x").ok());
    EXPECT_EQ(Text(client_->Recv(1, kPatience)), "x");
  }
}

TEST_P(SslApplicationTest, WrongParametersAreRefused) {
  SslParameters none;
  none.protocol_version = {.tls12 = false, .tls13 = false};
  EXPECT_EQ(Ssl::Start(none).status().code(), absl::StatusCode::kInvalidArgument);
  SslParameters negative;
  negative.alert_timeout = std::chrono::milliseconds(-1);
  EXPECT_EQ(Ssl::Start(negative).status().code(), absl::StatusCode::kInvalidArgument);
  SslParameters broken;
  broken.session_cb = [](Role) -> absl::StatusOr<std::shared_ptr<SessionCache>> {
    return absl::UnavailableError("no disk");
  };
  EXPECT_EQ(Ssl::Start(broken).status().code(), absl::StatusCode::kUnavailable);
}

TEST_P(SslApplicationTest, BothSidesLearnWhyAHandshakeFailed) {
  ListenAt();
  auto accepted = Accept();
  Options stranger = OptionsFor(Role::kClient);
  stranger.trust.cacertfile = certs_.untrusted_ca();
  auto refused = ssl_->Connect("127.0.0.1", listener_->port(), stranger);
  EXPECT_EQ(base::ReasonOf(refused.status()), "unknown_ca") << refused.status();
  EXPECT_NE(refused.status().message().find("TLS handshake with 127.0.0.1"), std::string::npos);
  EXPECT_EQ(base::ReasonOf(accepted.get().status()), "unknown_ca");
}

TEST_P(SslApplicationTest, ConnectTellsWhyThereIsNoConnection) {
  SocketSetup hasty;
  hasty.timeout = Timeout(100);
  ListenAt();
  const uint16_t port = listener_->port();
  EXPECT_TRUE(listener_->Close().ok());
  auto refused = ssl_->Connect("127.0.0.1", port, OptionsFor(Role::kClient), hasty);
  EXPECT_EQ(base::ReasonOf(refused.status()), "econnrefused");
  Options broken = OptionsFor(Role::kClient);
  broken.trust.cacertfile = "/nowhere/ca.pem";
  EXPECT_EQ(ssl_->Connect("127.0.0.1", port, broken).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(SslTest, TellsVersionsAndSuites) {
  const SslVersions versions = GetVersions();
  EXPECT_EQ(versions.supported, (std::vector<std::string>{"tlsv1.3", "tlsv1.2"}));
  EXPECT_EQ(versions.available, versions.supported);
  const auto erlang = CipherSuites(CipherSuiteNames::kErlang);
  const auto openssl = CipherSuites(CipherSuiteNames::kOpenssl);
  const auto all = CipherSuites(CipherSuiteNames::kAll);
  EXPECT_EQ(erlang, DefaultCipherSuites());
  ASSERT_EQ(openssl.size(), erlang.size());
  for (size_t i = 0; i < openssl.size(); ++i) {
    ASSERT_NE(FindCipherSuite(openssl[i]), nullptr) << openssl[i];
    EXPECT_EQ(FindCipherSuite(openssl[i])->iana, erlang[i]);
  }
  EXPECT_GT(all.size(), erlang.size());
  const std::set<std::string> known(all.begin(), all.end());
  for (const std::string& suite : erlang) EXPECT_TRUE(known.contains(suite)) << suite;
}

TEST(SslTest, FormatsErrorsForPeople) {
  EXPECT_EQ(FormatError(absl::OkStatus()), "");
  EXPECT_EQ(
      FormatError(base::Error(absl::StatusCode::kUnavailable, "it broke", "mend it", "closed")),
      "it broke (mend it)");
  EXPECT_EQ(FormatError(base::Error(absl::StatusCode::kUnavailable, "it broke")), "it broke");
}

}  // namespace
}  // namespace noded::tls
