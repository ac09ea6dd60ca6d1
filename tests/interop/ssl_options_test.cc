// Each option of TLS as it is seen in a connection with openssl, gnutls, OTP and ourselves, in both
// roles and versions; and what each function tells about it. Sessions, new keys, revocation and
// pre-shared keys have tests of their own beside this one.
#include <functional>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/interop/tls_peer.h"
#include "tests/testlib/temp_dir.h"
#include "tls/certificate_info.h"
#include "tls/memory_session_cache.h"
#include "tls/ssl_pair.h"

namespace noded::interop {
namespace {

using testlib::CertFiles;
using testlib::ReadFile;
using tls::Options;
using tls::Role;
using tls::Version;

class Fixture;

struct Case {
  const char* option;  // as in -ssl_dist_opt, without its role
  enum Side { kBoth, kServer, kClient } side;
  // Ours, beginning with one that works.
  std::function<void(Options&, const Fixture&)> set;
  std::function<void(PeerSetup&, const Fixture&)> peer = nullptr;
  // What our side comes to: "" is a connection over which a line goes both ways, else reasons of
  // which one must be it.
  std::string reason = "";
  // Items of connection_information, and their values.
  std::map<std::string, std::string> items = {};
  enum Versions { kEvery, kTls12, kTls13 } versions = kEvery;
};

class Fixture {
 public:
  std::string suite(const char* tls12, const char* tls13) const {
    return version == Version::kTls12 ? tls12 : tls13;
  }
  base::Slice Der(const std::string& path) const {
    auto certificates = tls::ReadCertificates(base::AsBytes(ReadFile(path)));
    EXPECT_TRUE(certificates.ok()) << certificates.status();
    return certificates.ok() ? certificates->front().der : base::Slice();
  }

  testlib::TestCerts certs;
  CertFiles ours = certs.Node("b@b.example"),
            rsa = certs.Node("b@b.example", tls::KeyType::kRsa2048);
  CertFiles shop = certs.Node("shop@shop.example"),
            encrypted = certs.Encrypted("b@b.example", "open");
  CertFiles peer = certs.Node("peer@peer.example"), chained = certs.Chained("peer@peer.example", 1);
  CertFiles untrusted = certs.Untrusted("peer@peer.example");
  Version version = Version::kTls13;
};

void ShowUntrusted(PeerSetup& peer, const Fixture& f) { peer.files = f.untrusted; }

std::vector<Case> Cases() {
  using enum Case::Side;
  using enum Case::Versions;
  const auto untrusted_peer = ShowUntrusted;
  const auto nameless_peer = [](PeerSetup& peer, const Fixture&) {
    peer.shows_certificate = false;
  };
  const auto chained_peer = [](PeerSetup& peer, const Fixture& f) { peer.files = f.chained; };
  const auto aes256_peer = [](PeerSetup& peer, const Fixture&) {
    peer.cipher = PeerSetup::Cipher::kAes256Gcm;
  };
  return {
      {"certfile",
       kBoth,
       [](Options&, const Fixture&) {},
       nullptr,
       "",
       {{"verify", "verify_peer"}, {"session_resumption", "false"}}},
      {"cert", kBoth,
       [](Options& o, const Fixture& f) {
         o.identity = {};
         o.identity.certs = {f.Der(f.ours.cert)};
         o.identity.key = base::Secret(ReadFile(f.ours.key));
       }},
      {"certs_keys", kBoth,
       [](Options& o, const Fixture& f) {
         o.identity = {};
         o.certs_keys.resize(2);
         o.certs_keys[0].certfile = f.rsa.cert;
         o.certs_keys[0].keyfile = f.rsa.key;
         o.certs_keys[1].certfile = f.ours.cert;
         o.certs_keys[1].keyfile = f.ours.key;
       }},
      {"password", kBoth,
       [](Options& o, const Fixture& f) {
         o.identity = {.certfile = f.encrypted.cert, .keyfile = f.encrypted.key};
         o.identity.password = base::Secret("open");
       }},
      {"cacerts", kBoth,
       [](Options& o, const Fixture& f) {
         o.trust.cacertfile.clear();
         o.trust.cacerts = {f.Der(f.certs.ca())};
       }},
      {"cacertfile", kBoth, [](Options&, const Fixture&) {}, untrusted_peer, "unknown_ca"},
      {"verify",
       kBoth,
       [](Options& o, const Fixture&) {
         o.trust.verify = tls::Verify::kNone;
         o.trust.fail_if_no_peer_cert = false;
       },
       untrusted_peer,
       "",
       {{"verify", "verify_none"}}},
      {"verify_fun", kBoth,
       [](Options& o, const Fixture&) {
         o.trust.verify_fun = [](const tls::CertificateInfo&, const tls::VerifyEvent& event,
                                 std::any state) {
           const bool is_stranger = event.is_bad() && event.reason == "unknown_ca";
           return event.is_bad() && !is_stranger ? tls::VerifyAnswer::Fail(event.reason)
                                                 : tls::VerifyAnswer::Valid(std::move(state));
         };
       },
       untrusted_peer},
      {"fail_if_no_peer_cert", kServer, [](Options&, const Fixture&) {}, nameless_peer,
       "certificate_required handshake_failure"},
      {"fail_if_no_peer_cert",
       kServer,
       [](Options& o, const Fixture&) { o.trust.fail_if_no_peer_cert = false; },
       nameless_peer,
       "",
       {{"peer", ""}}},
      {"depth", kBoth, [](Options& o, const Fixture&) { o.trust.depth = 0; }, chained_peer,
       "bad_certificate"},
      {"depth", kBoth, [](Options& o, const Fixture&) { o.trust.depth = 1; }, chained_peer},
      {"partial_chain", kBoth,
       [](Options& o, const Fixture& f) {
         o.trust.cacertfile = f.certs.untrusted_ca();
         o.trust.partial_chain = [](const std::vector<base::Slice>& chain) {
           return chain.size() > 1 ? chain[1] : base::Slice();
         };
       },
       chained_peer},
      {"ciphers", kBoth,
       [](Options& o, const Fixture& f) {
         o.ciphers.suites = {
             f.suite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
             f.suite("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384")};
       },
       aes256_peer},
      {"ciphers", kBoth,
       [](Options& o, const Fixture& f) {
         o.ciphers.suites = {
             f.suite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256")};
       },
       aes256_peer, "handshake_failure insufficient_security"},
      {"honor_cipher_order",
       kServer,
       [](Options& o, const Fixture& f) {
         o.ciphers.honor_cipher_order = true;
         o.ciphers.suites = {
             f.suite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
             f.suite("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384")};
       },
       nullptr,
       "",
       {{"honor_cipher_order", "true"}, {"selected_cipher_suite", "*AES_128_GCM*"}}},
      {"supported_groups",
       kBoth,
       [](Options& o, const Fixture&) {
         o.ciphers.groups = {"secp256r1", "secp384r1"};
       },
       [](PeerSetup& peer, const Fixture&) { peer.group = "secp384r1"; },
       "",
       {{"group", "secp384r1"}, {"groups", "secp256r1:secp384r1"}},
       kTls13},
      {"eccs",
       kBoth,
       [](Options& o, const Fixture&) { o.ciphers.groups = {"secp256r1"}; },
       nullptr,
       "",
       {{"group", "secp256r1"}}},
      {"signature_algs", kBoth,
       [](Options& o, const Fixture&) {
         o.ciphers.signature_algorithms = {"ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384"};
       }},
      {"signature_algs_cert", kBoth,
       [](Options& o, const Fixture&) {
         o.ciphers.certificate_signature_algorithms = {"rsa_pkcs1_sha256"};
       },
       nullptr, "bad_certificate"},
      {"dh",
       kServer,
       [](Options& o, const Fixture& f) {
         o.identity = {.certfile = f.rsa.cert, .keyfile = f.rsa.key};
         o.ciphers.suites = {"TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"};
       },
       [](PeerSetup& peer, const Fixture&) { peer.is_dhe = true; },
       "",
       {{"selected_cipher_suite", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"}},
       kTls12},
      {"server_name_indication",
       kClient,
       [](Options&, const Fixture&) {},
       nullptr,
       "",
       {{"sni_hostname", "peer.example"}}},
      {"server_name_indication", kClient,
       [](Options& o, const Fixture&) { o.trust.server_name = "other.example"; }, nullptr,
       "handshake_failure"},
      {"server_name_indication",
       kClient,
       [](Options& o, const Fixture&) { o.trust.name_check = tls::NameCheck::kDisabled; },
       nullptr,
       "",
       {{"sni_hostname", ""}}},
      {"sni_hosts",
       kServer,
       [](Options& o, const Fixture& f) {
         auto host = std::make_shared<Options>(o);
         host->identity = {.certfile = f.shop.cert, .keyfile = f.shop.key};
         o.server_names.hosts["shop.example"] = host;
       },
       [](PeerSetup& peer, const Fixture&) { peer.host = "shop.example"; },
       "",
       {{"sni_hostname", "shop.example"}}},
      {"sni_fun",
       kServer,
       [](Options& o, const Fixture& f) {
         auto host = std::make_shared<Options>(o);
         host->identity = {.certfile = f.shop.cert, .keyfile = f.shop.key};
         o.server_names.fun = [host](std::string_view name) -> std::shared_ptr<const Options> {
           return name == "shop.example" ? host : nullptr;
         };
       },
       [](PeerSetup& peer, const Fixture&) { peer.host = "shop.example"; },
       "",
       {{"sni_hostname", "shop.example"}}},
      {"alpn_advertised_protocols",
       kClient,
       [](Options& o, const Fixture&) {
         o.alpn.protocols = {"gossip", "chat"};
       },
       [](PeerSetup& peer, const Fixture&) { peer.alpn = {"chat"}; },
       "",
       {{"negotiated_protocol", "chat"}}},
      {"alpn_preferred_protocols",
       kServer,
       [](Options& o, const Fixture&) {
         o.alpn.protocols = {"chat", "gossip"};
       },
       [](PeerSetup& peer, const Fixture&) {
         peer.alpn = {"gossip", "chat"};
       },
       "",
       {{"negotiated_protocol", "chat"}}},
      {"alpn_preferred_protocols", kServer,
       [](Options& o, const Fixture&) { o.alpn.protocols = {"h2"}; },
       [](PeerSetup& peer, const Fixture&) { peer.alpn = {"chat"}; }, "no_application_protocol"},
      {"max_fragment_length",
       kClient,
       [](Options& o, const Fixture&) { o.traffic.max_fragment_length = 512; },
       nullptr,
       "",
       {{"max_fragment_length", "512"}},
       kTls12},
      {"secure_renegotiate", kBoth,
       [](Options& o, const Fixture&) { o.renegotiation.secure_renegotiate = true; }},
      {"client_renegotiation",
       kServer,
       [](Options& o, const Fixture&) { o.renegotiation.client_renegotiation = false; },
       nullptr,
       "",
       {{"client_renegotiation", "false"}}},
      {"reuse_sessions",
       kBoth,
       [](Options& o, const Fixture&) { o.sessions.reuse_sessions = false; },
       nullptr,
       "",
       {{"reuse_sessions", "false"}}},
      {"hibernate_after",
       kBoth,
       [](Options& o, const Fixture&) { o.traffic.hibernate_after = std::chrono::milliseconds(1); },
       nullptr,
       "",
       {{"hibernate_after", "1"}}},
      {"key_update_at",
       kBoth,
       [](Options& o, const Fixture&) { o.traffic.key_update_at = 1; },
       nullptr,
       "",
       {{"key_update_at", "1"}},
       kTls13},
      {"crl_check", kBoth,
       [](Options& o, const Fixture&) { o.revocation.check = tls::CrlCheck::kTrue; }, nullptr,
       "bad_certificate"},
      {"crl_check", kBoth,
       [](Options& o, const Fixture&) { o.revocation.check = tls::CrlCheck::kBestEffort; }},
      {"versions", kBoth,
       [](Options& o, const Fixture& f) {
         o.versions = {.tls12 = f.version == Version::kTls13,
                       .tls13 = f.version == Version::kTls12};
       },
       nullptr, "protocol_version handshake_failure insufficient_security"},
  };
}

class SslOptionsTest : public testing::TestWithParam<std::tuple<PeerKind, Version>> {
 protected:
  SslOptionsTest() : peer_(MakePeer(std::get<0>(GetParam()), std::get<1>(GetParam()))) {
    fixture_.version = std::get<1>(GetParam());
    tls::SslParameters parameters;
    auto ssl = tls::Ssl::Start(parameters);
    EXPECT_TRUE(ssl.ok()) << ssl.status();
    ssl_ = *std::move(ssl);
  }

  Options Ours(Role role) const {
    Options options = ssl_->Defaults(role);
    options.versions = {.tls12 = fixture_.version == Version::kTls12,
                        .tls13 = fixture_.version == Version::kTls13};
    options.identity = {.certfile = fixture_.ours.cert, .keyfile = fixture_.ours.key};
    options.trust.cacertfile = fixture_.certs.ca();
    options.trust.verify = tls::Verify::kPeer;
    options.trust.fail_if_no_peer_cert = role == Role::kServer;
    options.sessions.cache = std::make_shared<tls::MemorySessionCache>(10);  // of this one alone
    if (role == Role::kClient) {
      options.trust.name_check = tls::NameCheck::kGiven;
      options.trust.server_name = "peer.example";
    }
    return options;
  }
  PeerSetup TheirsFor() const {
    return {.files = fixture_.peer, .cacertfile = fixture_.certs.ca()};
  }

  using Socket = absl::StatusOr<std::unique_ptr<tls::SslSocket>>;
  Socket Meet(Role role, const Options& options, const PeerSetup& setup) {
    tls::SocketSetup patient;
    patient.timeout = tls::kPatience;
    if (role == Role::kClient) {
      return ssl_->Connect("127.0.0.1", peer_->Serve(setup), options, patient);
    }
    auto listener = ssl_->Listen(0, options, {.ip = "127.0.0.1"});
    if (!listener.ok()) return listener.status();
    peer_->Connect((*listener)->port(), setup);
    auto accepted = (*listener)->TransportAccept(tls::kPatience);
    if (!accepted.ok()) return accepted.status();
    return ssl_->Handshake(*std::move(accepted), patient);
  }
  // A line, and as a client its answer. A TLS 1.3 peer may refuse us only now.
  absl::Status Talk(Role role, tls::SslSocket& socket) {
    if (role == Role::kClient) RETURN_IF_ERROR(socket.Send(kGreeting));
    const std::string expected = role == Role::kClient ? peer_->Answer() : kGreeting;
    ASSIGN_OR_RETURN(base::Slice line, socket.Recv(expected.size(), tls::kPatience));
    EXPECT_EQ(line.text(), expected);
    return absl::OkStatus();
  }

  void Run(const Case& one, Role role) {
    Options options = Ours(role);
    one.set(options, fixture_);
    PeerSetup setup = TheirsFor();
    if (one.peer) one.peer(setup, fixture_);
    Socket socket = Meet(role, options, setup);
    if (!one.reason.empty()) {
      ASSERT_FALSE(socket.ok()) << "expected " << one.reason;
      const std::string reason = base::ReasonOf(socket.status());
      EXPECT_NE(fmt::format(" {} ", one.reason).find(fmt::format(" {} ", reason)),
                std::string::npos)
          << socket.status();
      return;
    }
    ASSERT_TRUE(socket.ok()) << socket.status() << peer_->Log();
    const absl::Status talked = Talk(role, **socket);
    ASSERT_TRUE(talked.ok()) << talked << peer_->Log();
    for (const auto& [item, value] : one.items) {
      auto got = (*socket)->GetConnectionInformation({item});
      ASSERT_TRUE(got.ok()) << got.status();
      const std::string text = got->front().second;
      if (value.starts_with('*')) {
        EXPECT_NE(text.find(value.substr(1, value.size() - 2)), std::string::npos) << text;
      } else {
        EXPECT_EQ(text, value) << item;
      }
    }
    EXPECT_TRUE((*socket)->Close().ok());
  }

  Fixture fixture_;
  std::unique_ptr<TlsPeer> peer_;
  std::unique_ptr<tls::Ssl> ssl_;
};

INSTANTIATE_TEST_SUITE_P(Peers, SslOptionsTest,
                         testing::Combine(testing::Values(PeerKind::kOpenssl, PeerKind::kGnutls,
                                                          PeerKind::kOtp, PeerKind::kOurs),
                                          testing::Values(Version::kTls12, Version::kTls13)),
                         [](const auto& info) {
                           return std::string(PeerName(std::get<0>(info.param))) +
                                  (std::get<1>(info.param) == Version::kTls12 ? "Tls12" : "Tls13");
                         });

TEST_P(SslOptionsTest, EachHasItsEffect) {
  for (const Case& one : Cases()) {
    const bool is_tls12 = fixture_.version == Version::kTls12;
    if (one.versions == (is_tls12 ? Case::kTls13 : Case::kTls12)) continue;
    for (Role role : {Role::kServer, Role::kClient}) {
      if (one.side == (role == Role::kServer ? Case::kClient : Case::kServer)) continue;
      SCOPED_TRACE(fmt::format("{} at our {}", one.option, RoleName(role)));
      Run(one, role);
    }
  }
}

TEST_P(SslOptionsTest, EachFunctionTellsTheSame) {
  for (Role role : {Role::kServer, Role::kClient}) {
    SCOPED_TRACE(RoleName(role));
    const auto lines = std::make_shared<std::vector<std::string>>();
    Options options = Ours(role);
    options.traffic.keylog = [lines](std::string_view line) { lines->emplace_back(line); };
    Socket socket = Meet(role, options, TheirsFor());
    ASSERT_TRUE(socket.ok()) << socket.status() << peer_->Log();
    ASSERT_TRUE(Talk(role, **socket).ok());
    auto cert = (*socket)->PeerCert();
    ASSERT_TRUE(cert.ok()) << cert.status();
    EXPECT_EQ(cert->der, fixture_.Der(fixture_.peer.cert));
    EXPECT_EQ(cert->dns_names, std::vector<std::string>{"peer.example"});
    EXPECT_EQ(base::ReasonOf((*socket)->NegotiatedProtocol().status()), "protocol_not_negotiated");
    EXPECT_EQ((*socket)->PeerName().address, "127.0.0.1");
    EXPECT_NE((*socket)->PeerName().port, (*socket)->SockName().port);
    auto all = (*socket)->GetConnectionInformation();
    ASSERT_TRUE(all.ok()) << all.status();
    EXPECT_EQ(all->agreed.version, fixture_.version);
    EXPECT_TRUE(all->agreed.is_peer_verified);
    const std::string random = base::ToHex(all->agreed.client_random);
    EXPECT_FALSE(lines->empty());
    for (const std::string& line : *lines) EXPECT_NE(line.find(random), std::string::npos) << line;
    const bool is_tls13 = fixture_.version == Version::kTls13;
    EXPECT_EQ((*socket)->UpdateKeys(false).ok(), is_tls13);
    EXPECT_TRUE((*socket)->ExportKeyMaterial("EXPORTER-x", std::nullopt, 32).ok());
    EXPECT_TRUE((*socket)->Shutdown(tls::ShutdownHow::kWrite).ok());
    EXPECT_TRUE((*socket)->Close().ok());
  }
}

}  // namespace
}  // namespace noded::interop
